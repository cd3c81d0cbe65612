"""What a frame of a record costs: `python -m experiments.benchmarks.jpeg --size 512`.

One JSON object a line, for each quality with halved ('420') and with full ('444')
resolution of colour: `kilobytes` of a frame, `psnr` in dB against the picture before it
was packed, `psnr_lips` of the red lips and the eyes alone (windows about the
landmarks), and milliseconds to `encode` and `decode` on one thread, medians. Pictures
are rendered without a camera, so that they have never been JPEG before. Records hold
quality `data_pipelines.schema.JPEG_QUALITY`, '444'.
"""

import argparse
import json
import statistics
import sys
import time
from collections.abc import Sequence

import numpy as np

from experiments.command import run_command

QUALITIES = (75, 85, 90, 92, 95, 98)
WINDOW = 0.06  # half of a window about mouth or eye, in sides of the picture


def parse(argv: Sequence[str] | None = None) -> argparse.Namespace:
  """The command line."""
  parser = argparse.ArgumentParser(
    prog='python -m experiments.benchmarks.jpeg', description=__doc__.splitlines()[0]
  )
  add = parser.add_argument
  add('--size', type=int, default=512, help='side of the pictures in pixels')
  add('--people', type=int, default=6)
  add('--frames', type=int, default=2, help='pictures of each')
  add('--quality', type=int, nargs='+', default=list(QUALITIES))
  add('--repeats', type=int, default=5)
  add('--debug', action='store_true', help='show tracebacks')
  args = parser.parse_args(argv)
  if min(args.people, args.frames, args.repeats) < 1:
    parser.error('all numbers must be 1 or more')
  if not all(1 <= quality <= 100 for quality in args.quality):
    parser.error('--quality lies in 1..100')
  return args


def pictures(args: argparse.Namespace) -> list[tuple[np.ndarray, np.ndarray]]:
  """Pictures `(s, s, 3)` uint8 and their windows' centres `(3, 2)` in crop units."""
  from data_pipelines.pairs import centres_of
  from data_pipelines.synthetic.clips import render_stills

  found = []
  for person in range(args.people):
    shots = render_stills((400 << 24) + person, args.frames, args.size, 2, plain=True)
    found += list(zip(shots.pictures, centres_of(shots.landmarks), strict=True))
  return found


def about(picture: np.ndarray, centres: np.ndarray) -> np.ndarray:
  """The pixels near mouth and eyes, `(n, 3)`."""
  side = picture.shape[0]
  half, parts = max(1, round(WINDOW * side)), []
  for x, y in np.clip(np.rint(centres * side).astype(int), half, side - half):
    parts.append(picture[y - half : y + half, x - half : x + half].reshape(-1, 3))
  return np.concatenate(parts)


def psnr(one: np.ndarray, other: np.ndarray) -> float:
  """dB between two uint8 arrays; 100 where they are equal."""
  error = np.mean((one.astype(np.float64) - other.astype(np.float64)) ** 2)
  return float(min(10 * np.log10(255**2 / max(error, 1e-9)), 100.0))


def row(shots, quality: int, colour: str, repeats: int) -> dict:
  """The figures of one quality."""
  import cv2

  from data_pipelines.schema import decode_picture

  factor = getattr(cv2, f'IMWRITE_JPEG_SAMPLING_FACTOR_{colour}')
  options = [cv2.IMWRITE_JPEG_QUALITY, quality]
  options += [cv2.IMWRITE_JPEG_SAMPLING_FACTOR, factor]

  def pack(picture):
    return cv2.imencode('.jpg', cv2.cvtColor(picture, cv2.COLOR_RGB2BGR), options)[1]

  sizes, whole, lips, times = [], [], [], {'encode': [], 'decode': []}
  for picture, centres in shots:
    data = pack(picture).tobytes()
    back = decode_picture(data)
    sizes.append(len(data) / 1e3)
    whole.append(psnr(picture, back))
    lips.append(psnr(about(picture, centres), about(back, centres)))
    for _ in range(repeats):
      start = time.perf_counter()
      pack(picture)
      packed = time.perf_counter()
      decode_picture(data)
      times['encode'].append(1e3 * (packed - start))
      times['decode'].append(1e3 * (time.perf_counter() - packed))
  return {
    'quality': quality, 'colour': colour,
    'kilobytes': round(statistics.mean(sizes), 1),
    'psnr': round(statistics.mean(whole), 1),
    'psnr_lips': round(statistics.mean(lips), 1),
    **{name: round(statistics.median(values), 2) for name, values in times.items()},
  }  # fmt: skip


def measure(args: argparse.Namespace) -> int:
  """Prints a line for each quality."""
  import cv2

  cv2.setNumThreads(1)
  shots = pictures(args)
  for colour in ('420', '444'):
    for quality in args.quality:
      print(json.dumps(row(shots, quality, colour, args.repeats)), flush=True)
  return 0


def main(argv: Sequence[str] | None = None) -> int:
  """Exit code of the command."""
  args = parse(argv)
  return run_command(lambda: measure(args), args.debug)


if __name__ == '__main__':
  sys.exit(main())
