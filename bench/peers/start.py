"""Imports PyTorch and ends: the least that any program over it takes."""

import lines

lines.environment()
lines.done()
