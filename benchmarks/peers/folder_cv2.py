"""Sobel x of a folder's JPEG files by OpenCV: SOURCE TARGET PROCESSES .png|.jpg."""

import sys
from multiprocessing import Pool
from pathlib import Path

import cv2
import numpy as np

SOURCE, TARGET, PROCESSES = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
KERNEL = np.array([[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]], np.float32)


def job(path: Path) -> None:
    result = cv2.convertScaleAbs(cv2.filter2D(cv2.imread(str(path)), cv2.CV_32F, KERNEL))
    cv2.imwrite(str(TARGET / f"{path.stem}{sys.argv[4]}"), result)


if PROCESSES == 1:
    for path in SOURCE.glob("*.jpg"):
        job(path)
else:
    with Pool(PROCESSES) as pool:
        pool.map(job, SOURCE.glob("*.jpg"))
