"""The same recording twice: signatures of pictures and sound that survive recoding.

Copies in another size, quality or container have the same signs: where one half of a
coarse picture is brighter than its neighbour, and where the sound grows louder.
Pictures of one person before one wall are alike at all times, so the sound decides;
where hardly any is heard, it is when the picture moves more. Cut at other moments
copies are not recognised.
"""

from collections.abc import Iterable, Sequence

import numpy as np

from data_pipelines.ingest.cutting import loudness

_MOMENTS = 8  # pictures of a clip that are looked at
_STEPS = 128  # steps of loudness, or of movement
_COARSE = 16  # px; side of the pictures whose movement is measured
_SMOOTH = 2.0  # frames; standard deviation, against the noise of the codec
_HEARD = 1e-3  # loudness of a sound that is one, of full scale
_BANDS = 16  # stretches of 32 bits of which one must agree, to be compared at all


def signature(crops: np.ndarray, sound: np.ndarray) -> str:
  """Hex text of `8 x 64` bits of pictures and 128 bits of sound, or of movement.

  Args:
    crops: `(t, s, s, 3)` uint8.
    sound: `(640 t,)` int16.
  """
  import cv2

  moments = np.linspace(0, len(crops) - 1, _MOMENTS).round().astype(int)
  bits = []
  for i in moments:
    grey = cv2.cvtColor(crops[i], cv2.COLOR_RGB2GRAY)
    coarse = cv2.resize(grey, (9, 8), interpolation=cv2.INTER_AREA).astype(int)
    bits.append((coarse[:, 1:] > coarse[:, :-1]).ravel())
  level = loudness(sound)
  heard = np.mean(level > _HEARD) > 0.5  # silence has one sign: all of it is alike
  level = np.log(_HEARD + level) if heard else movement(crops)
  at = np.linspace(0, len(level) - 1, _STEPS + 1)
  level = np.interp(at, np.arange(len(level)), level)
  bits.append(np.diff(level) > 0)
  return np.packbits(np.concatenate(bits)).tobytes().hex()


def movement(crops: np.ndarray) -> np.ndarray:
  """`(t - 1,)` how much each picture differs from the one before, smoothed.

  Args:
    crops: `(t, s, s, 3)` uint8.
  """
  import cv2

  size = (_COARSE, _COARSE)
  small = np.stack([
    cv2.cvtColor(cv2.resize(c, size, interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2GRAY)
    for c in crops
  ]).astype(np.float32)  # fmt: skip
  reach = int(3 * _SMOOTH)
  weight = np.exp(-0.5 * (np.arange(-reach, reach + 1) / _SMOOTH) ** 2)
  padded = np.pad(small, ((reach, reach), (0, 0), (0, 0)), mode='edge')
  smooth = sum(
    w * padded[i : i + len(small)] for i, w in enumerate(weight / weight.sum())
  )
  return np.abs(np.diff(smooth, axis=0)).mean((1, 2))


def find_duplicates(
  signatures: Sequence[str], lengths: Sequence[int], pictures: float, sound: float
) -> dict[int, int]:
  """Which clips repeat an earlier one.

  Args:
    signatures: of all clips, in their order.
    lengths: their frames; copies may differ by two.
    pictures, sound: share of bits that may differ.

  Returns:
    index of the repeated clip: index of the first one.
  """
  known: dict[tuple[int, bytes], list[int]] = {}
  found: dict[int, int] = {}
  split = _MOMENTS * 64 // 8
  for i, text in enumerate(signatures):
    data = bytes.fromhex(text)
    width = split // _BANDS
    bands = [(k, data[k * width : (k + 1) * width]) for k in range(_BANDS)]
    rivals = sorted({j for band in bands for j in known.get(band, ())})
    for j in rivals:
      other = bytes.fromhex(signatures[j])
      if (
        abs(lengths[i] - lengths[j]) <= 2
        and _differ(data[:split], other[:split]) <= pictures
        and _differ(data[split:], other[split:]) <= sound
      ):
        found[i] = j
        break
    else:
      for band in bands:
        known.setdefault(band, []).append(i)
  return found


def _differ(a: bytes, b: bytes) -> float:
  """Share of bits that differ."""
  pair = (np.frombuffer(part, np.uint8) for part in (a, b))
  return float(np.unpackbits(np.bitwise_xor(*pair)).mean())


def likeness(a: np.ndarray, b: np.ndarray, limit: float) -> float:
  """How alike two descriptors are: 1 for equal ones, .5 at the limit.

  Descriptors of faces lie in a small part of the sphere (those of dlib have a cosine of
  .85 for two people), so the cosine itself says little.

  Args:
    a, b: unit vectors.
    limit: distance above which they are two people's.
  """
  return 1.0 - (1.0 - float(a @ b)) / limit**2


def same_person(
  vector: np.ndarray, people: Iterable[np.ndarray], least: float, limit: float = 1.0
) -> int | None:
  """Index of the person who is most like a unit vector; None below `least`."""
  scores = [likeness(vector, other, limit) for other in people]
  if not scores or max(scores) < least:
    return None
  return int(np.argmax(scores))
