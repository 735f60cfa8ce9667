"""Small networks with the building blocks that exported models are made of."""

from .attention import CASES as ATTENTION
from .convolution import CASES as CONVOLUTION
from .layers import CASES as LAYERS
from .recurrent import CASES as RECURRENT

CASES = {**CONVOLUTION, **ATTENTION, **RECURRENT, **LAYERS}
