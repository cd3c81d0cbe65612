"""Filters of painters: smooth patches, strokes along edges, lines.

Edge-preserving smoothing is a Kuwahara filter with eight soft sectors (Papari, Petkov
and Campisi, "Artistic edge and corner enhancing smoothing", 2007); lines are extended
differences of Gaussians (Winnemoeller, Kyprianidis and Olsen, "XDoG", 2012).
"""

import cv2
import numpy as np

LUMA = np.array([[0.299, 0.587, 0.114]], np.float32)


def box_blur(values, pixels):
  size = max(int(pixels) | 1, 1)
  return cv2.blur(values, (size, size), borderType=cv2.BORDER_REFLECT)


def kuwahara(value: np.ndarray, radius: float) -> np.ndarray:
  """(s, s, 3): each pixel takes the mean of the calmest of eight parts around it."""
  radius = max(radius, 0.8)
  side = max(int(round(radius)) | 1, 3)
  luma = cv2.transform(value, LUMA)
  mean = box_blur(value, side)
  spread = box_blur(luma * luma, side) - box_blur(luma, side) ** 2
  weight = 1 / (np.maximum(spread, 0) + np.float32(2e-5)) ** 2
  weighted = cv2.merge([mean[..., c] * weight for c in range(3)] + [weight])
  border = int(np.ceil(radius)) + 1
  padded = cv2.copyMakeBorder(
    weighted, border, border, border, border, cv2.BORDER_REFLECT
  )
  h, w = luma.shape[:2]
  total = np.zeros((h, w, 4), np.float32)
  for i in range(8):
    dx = border + int(round(radius * np.cos(np.pi * i / 4)))
    dy = border + int(round(radius * np.sin(np.pi * i / 4)))
    cv2.add(total, padded[dy : dy + h, dx : dx + w], total)
  return total[..., :3] / total[..., 3:]


def along_edges(value: np.ndarray, length: float, steps: int = 3) -> np.ndarray:
  """Smears colours along the direction in which the picture changes least."""
  h, w = value.shape[:2]
  small = cv2.resize(value, (w // 2, h // 2), interpolation=cv2.INTER_AREA)
  luma = cv2.transform(small, LUMA)
  gx = cv2.Sobel(luma, -1, 1, 0)
  gy = cv2.Sobel(luma, -1, 0, 1)
  tensor = cv2.GaussianBlur(cv2.merge([gx * gx, gy * gy, gx * gy]), (0, 0), 3)
  angle = 0.5 * np.arctan2(2 * tensor[..., 2], tensor[..., 0] - tensor[..., 1])
  flow = cv2.merge([-np.sin(angle), np.cos(angle)]).astype(np.float32)
  flow = cv2.resize(flow, (w, h), interpolation=cv2.INTER_NEAREST)
  y, x = np.mgrid[0:h, 0:w].astype(np.float32)
  total = value.copy()
  for step in range(1, steps + 1):
    far = np.float32(length * step / steps)
    for sign in (far, -far):
      total += cv2.remap(
        value,
        x + sign * flow[..., 0],
        y + sign * flow[..., 1],
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REFLECT,
      )
  return total / np.float32(1 + 2 * steps)


def lines(value: np.ndarray, sigma: float, sharp: float, threshold: float):
  """(s, s) 0..1, 0 on dark lines: a soft threshold of a difference of Gaussians."""
  luma = cv2.transform(value, LUMA)
  near = cv2.GaussianBlur(luma, (0, 0), sigma)
  far = cv2.GaussianBlur(luma, (0, 0), 1.6 * sigma)
  edge = (near - far) * np.float32(sharp)
  return 1 + np.tanh(np.minimum(edge + np.float32(threshold), 0))


def saturate(value, factor):
  luma = cv2.transform(value, LUMA)[..., None]
  return luma + np.float32(factor) * (value - luma)
