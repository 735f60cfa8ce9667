"""Whole architectures of torchvision, untrained, on images as small as they take."""

from collections.abc import Callable

import torchvision.models as zoo
from torch import nn

from .case import Case

EXPORTS = ("legacy-13", "legacy-17-batch-1", "dynamo")


def whole(make: Callable[..., nn.Module], size: int = 32, **options) -> Case:
    return Case(lambda: make(weights=None, num_classes=5, **options), (3, size, size), noise=0.005, exports=EXPORTS)


def small_vit(weights: None, num_classes: int) -> nn.Module:
    """torchvision's class at a size that fits a check."""
    return zoo.VisionTransformer(32, 8, 2, 4, 48, 96, num_classes=num_classes)


CASES = {
    "torchvision-resnet18": whole(zoo.resnet18),
    "torchvision-squeezenet1-1": whole(zoo.squeezenet1_1, 48),
    "torchvision-shufflenet-v2": whole(zoo.shufflenet_v2_x0_5),
    "torchvision-mobilenet-v2": whole(zoo.mobilenet_v2),
    "torchvision-mobilenet-v3-small": whole(zoo.mobilenet_v3_small),
    "torchvision-mnasnet0-5": whole(zoo.mnasnet0_5),
    "torchvision-efficientnet-b0": whole(zoo.efficientnet_b0),
    "torchvision-regnet-y-400mf": whole(zoo.regnet_y_400mf),
    "torchvision-googlenet": whole(zoo.googlenet, 48, aux_logits=False, init_weights=False),
    "torchvision-inception-v3": whole(zoo.inception_v3, 96, aux_logits=False, init_weights=False),
    "torchvision-densenet121": whole(zoo.densenet121),
    "torchvision-convnext-tiny": whole(zoo.convnext_tiny),
    "torchvision-vit": whole(small_vit),
    "torchvision-swin-t": whole(zoo.swin_t, 56),
    "torchvision-swin-v2-t": whole(zoo.swin_v2_t, 56),
}
