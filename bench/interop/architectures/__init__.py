"""Small networks with the building blocks that exported models are made of."""

from .attention import CASES as ATTENTION
from .convolution import CASES as CONVOLUTION
from .layers import CASES as LAYERS
from .recurrent import CASES as RECURRENT
from .vision import CASES as VISION

CASES = {**CONVOLUTION, **ATTENTION, **RECURRENT, **LAYERS, **VISION}
