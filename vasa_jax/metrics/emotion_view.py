"""What the emotion net looks at: a grey upright face (NumPy and Pillow alone)."""

import numpy as np

# The net's classes in its own order, under the names of `schema`'s emotions.
CLASSES = (
  'anger', 'disgust', 'fear', 'happiness', 'sadness', 'surprise', 'neutral',
)  # fmt: skip
SIZE = 64
# Side of the crop over the longer side of the mesh's upright box. The net was trained
# on boxes of a face detector, which reach a little over forehead and chin.
MARGIN = 1.2
_GREY = (0.2989, 0.587, 0.114)


def crop_face(picture: np.ndarray, points: np.ndarray) -> np.ndarray:
  """The net's view of a face.

  Args:
    picture: `(h, w, 3)` uint8 RGB.
    points: `(468, 3)` mesh in px.

  Returns:
    `(64, 64, 1)` float32 in [-1, 1], eyes level.
  """
  from PIL import Image

  from vasa_jax.inference.finding.sampling import Square, cut

  across = points[263, :2] - points[33, :2]
  turn = Square(0.0, 0.0, 1.0, float(np.arctan2(across[1], across[0])))
  local = turn.from_picture(points[:, :2])
  low, high = local.min(0), local.max(0)
  centre = turn.to_picture((low + high)[None] / 2)[0]
  square = turn._replace(
    x=centre[0], y=centre[1], side=MARGIN * float((high - low).max())
  )
  pixels = cut(Image.fromarray(picture), square, SIZE).astype(np.float32) / 255
  return (pixels @ np.array(_GREY, np.float32) * 2 - 1)[..., None]
