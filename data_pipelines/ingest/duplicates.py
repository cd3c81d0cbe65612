"""The same recording twice: signatures of pictures and sound that survive recoding.

Copies in another size, quality or container have the same signs: where one half of a
coarse picture is brighter than its neighbour, and where the sound grows louder. Cut at
other moments they are not recognised.
"""

from collections.abc import Iterable, Sequence

import numpy as np

from data_pipelines.ingest.cutting import loudness

_MOMENTS = 8  # pictures of a clip that are looked at
_STEPS = 128  # steps of loudness
_BANDS = 16  # stretches of 32 bits of which one must agree, to be compared at all


def signature(crops: np.ndarray, sound: np.ndarray) -> str:
  """Hex text of `8 x 64` bits of pictures and 128 bits of sound.

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
  level = np.log(1e-3 + loudness(sound))
  at = np.linspace(0, len(level) - 1, _STEPS + 1)
  level = np.interp(at, np.arange(len(level)), level)
  bits.append(np.diff(level) > 0)
  return np.packbits(np.concatenate(bits)).tobytes().hex()


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


def same_person(
  vector: np.ndarray, people: Iterable[np.ndarray], least: float
) -> int | None:
  """Index of the most similar of some unit vectors, None if all are below `least`."""
  scores = [float(vector @ other) for other in people]
  if not scores or max(scores) < least:
    return None
  return int(np.argmax(scores))
