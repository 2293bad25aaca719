"""What feature maps cost at least: imports, the network, one forward pass, PNG files.

    python bare_forward.py MODEL SIDE [FOLDER]

The pictures in FOLDER are read before the clock starts again, and written by OpenCV. Prints
seconds of each part, and the peak of memory before the pictures in MiB.
"""

import json
import resource
import sys
import time
from pathlib import Path

seconds = {}


def timed(name, work):
    began = time.perf_counter()
    result = work()
    seconds[name] = time.perf_counter() - began
    return result


def imported():
    import cv2
    import torch

    from cnnviz.models.sources.torchvision import load_torchvision  # mends its import

    return cv2, torch, load_torchvision().models


cv2, torch, models = timed("imports", imported)
model = timed("network", lambda: getattr(models, sys.argv[1])(weights=None).eval())
image = torch.rand(1, 3, int(sys.argv[2]), int(sys.argv[2]))
with torch.inference_mode():
    timed("forward", lambda: model(image))
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
pictures = (
    [cv2.imread(str(path)) for path in sorted(Path(sys.argv[3]).glob("*.png"))]
    if sys.argv[3:]
    else []
)
timed("encoding", lambda: [cv2.imencode(".png", one) for one in pictures])
print(json.dumps({"seconds": seconds, "peak": peak}))
