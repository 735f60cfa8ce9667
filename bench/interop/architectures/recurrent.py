"""Recurrent networks, two layers, both directions."""

import torch
from torch import nn

from .case import Case


class Recurrent(nn.Module):
    def __init__(self, kind: type[nn.RNNBase], bidirectional: bool = True, **options):
        super().__init__()
        self.cells = kind(4, 6, num_layers=2, bidirectional=bidirectional, batch_first=True, **options)
        self.last = nn.Linear(12 if bidirectional else 6, 5)

    def forward(self, x):
        return self.last(self.cells(x)[0][:, -1])


class LastState(nn.Module):
    """Reads the final state, time first."""

    def __init__(self):
        super().__init__()
        self.cells = nn.LSTM(4, 6)
        self.last = nn.Linear(12, 5)

    def forward(self, x):
        _, (h, c) = self.cells(x.transpose(0, 1))
        return self.last(torch.cat([h[0], c[0]], 1))


CASES = {
    "lstm": Case(lambda: Recurrent(nn.LSTM), (7, 4)),
    "lstm-state": Case(LastState, (7, 4)),
    "gru": Case(lambda: Recurrent(nn.GRU), (7, 4)),
    "rnn": Case(lambda: Recurrent(nn.RNN), (7, 4)),
    "rnn-relu": Case(lambda: Recurrent(nn.RNN, False, nonlinearity="relu"), (7, 4)),
}
