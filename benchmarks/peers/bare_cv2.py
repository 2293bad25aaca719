"""Sobel x of one photo by OpenCV: SOURCE TARGET."""

import sys

import cv2
import numpy as np

image = cv2.imread(sys.argv[1])
kernel = np.array([[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]], np.float32)
cv2.imwrite(sys.argv[2], cv2.convertScaleAbs(cv2.filter2D(image, cv2.CV_32F, kernel)))
