"""How far the corpus is from photographs: the error of a net that knows nothing else.

    python -m experiments.fetch_photos --out PHOTOS
    python -m experiments.domain_gap --corpus-frames 6000 --photos PHOTOS --out DIR

A small net learns 68 landmarks and the head's pose from rendered faces alone
(experiments/gap/regressor.py, fixed settings), then meets rendered people it has never
seen, and real photographs. Errors are in per cent of the distance between the outer eye
corners, poses in degrees. The ratio of photographs to rendered faces is the domain gap:
1 would be none.

On photographs the reference is the public 468-point mesh. It does not place a landmark
quite where the renderer does, so rendered faces are measured against the same mesh too
(`mesh`), and once more after the constant offset between the two definitions, learnt on
one half of the rendered test people, has been taken off (`aligned`). The gap is stated
for both. Intervals are 95 % bootstraps over people and photographs.

Rendered faces are kept in `DIR/faces-*.npz` and used again by the next call with the
same numbers; delete them when the corpus has changed (`--render` does). About 7 minutes
on two free cores.
"""

import argparse
import functools
import io
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from experiments.command import run_command
from experiments.gap import crops
from experiments.judges import shots
from vasa_jax.errors import UsageError, UserError
from vasa_jax.files import write_whole

EACH = 10  # frames of a person
TRAIN_SEED = 5 << 24  # people of the train split
TEST_SEED = (2 << 40) + (5 << 24)  # people of the test split
TEST_SHARE = 8  # one rendered test person for so many trained ones
_DRAWS = 2000


def rendered(
  path: Path, first: int, people: int, *, mesh: bool, workers: int, plain: bool = False
):
  """Rendered faces from `path`, drawn first where it does not hold them."""
  if path.is_file():
    with np.load(path) as file:
      kept = crops.Faces(**{name: file[name] for name in crops.Faces._fields})
    if len(np.unique(kept.group)) == people and kept.group[0] == first:
      return kept
  work = functools.partial(crops.rendered, frames=EACH, ask_mesh=mesh, plain=plain)
  seeds = range(first, first + people)
  what = 'rendering test faces' if mesh else 'rendering'
  faces = crops.join(list(shots.over_people(work, seeds, workers, what)))
  data = io.BytesIO()
  np.savez(data, **faces._asdict())
  write_whole(path, data.getvalue())
  return faces


def offset_of(marks: np.ndarray, read: np.ndarray) -> np.ndarray:
  """`(68, 2)`: where `read` usually lies of `marks`, as `add_offset` takes it."""
  x, y, width = _axes(marks)
  away = (read - marks) / width
  return np.stack(
    [np.median((away * axis).sum(-1), axis=0) for axis in (x, y)], axis=-1
  )


def add_offset(marks: np.ndarray, offset: np.ndarray) -> np.ndarray:
  """Marks `(n, 68, 2)` shifted by `offset` `(68, 2)`, which turns and grows with the
  line between the outer eye corners.
  """
  x, y, width = _axes(marks)
  return marks + width * (offset[None, :, :1] * x + offset[None, :, 1:] * y)


def _axes(marks: np.ndarray):
  """Along and across the line between the eyes, `(n, 1, 2)`, and its length."""
  axis = (marks[:, crops.CORNERS[1]] - marks[:, crops.CORNERS[0]])[:, None]
  width = np.linalg.norm(axis, axis=-1, keepdims=True)
  x = axis / width
  return x, np.stack([-x[..., 1], x[..., 0]], -1), width


def mark_errors(marks: np.ndarray, wanted: np.ndarray) -> np.ndarray:
  """`(n, 68)` distances in per cent of the width between the outer eye corners."""
  width = np.linalg.norm(
    wanted[:, crops.CORNERS[1]] - wanted[:, crops.CORNERS[0]], axis=-1
  )
  return 100 * np.linalg.norm(marks - wanted, axis=-1) / width[:, None]


def bootstrap(values: np.ndarray, group: np.ndarray, rng: np.random.Generator):
  """`(2000,)` means of `values` `(n,)`, groups drawn with replacement."""
  names, inverse = np.unique(group, return_inverse=True)
  total = np.bincount(inverse, values)
  count = np.bincount(inverse)
  drawn = rng.integers(len(names), size=(_DRAWS, len(names)))
  return total[drawn].sum(1) / count[drawn].sum(1)


def interval(draws: np.ndarray) -> list[float]:
  return [float(v) for v in np.percentile(draws, (2.5, 97.5))]


def measure(
  answers: dict[str, tuple[np.ndarray, np.ndarray]], test: crops.Faces,
  photos: crops.Faces, seed: int = 0,
) -> dict[str, Any]:  # fmt: skip
  """Errors on both kinds of faces, and their ratios.

  Args:
    answers: 'test' and 'photos' to marks `(n, 68, 2)` and pose `(n, 3)` of the net.
    test: rendered faces with both the renderer's and the mesh's labels, all found.
    photos: photographs with the mesh's labels.
    seed: of the bootstrap.
  """
  rng = np.random.default_rng(seed)
  half = (test.group % 2).astype(bool)  # offsets from one half of people ...
  offset = offset_of(test.marks[half], test.read[half])
  shown = test._replace(
    **{name: getattr(test, name)[~half] for name in test._fields}
  )  # ... and errors on the other
  marks, pose = (part[~half] for part in answers['test'])
  photo_marks, photo_pose = answers['photos']
  errors = {
    'exact': (mark_errors(marks, shown.marks), None),
    'mesh': (
      mark_errors(marks, shown.read), mark_errors(photo_marks, photos.read),
    ),
    'aligned': (
      mark_errors(add_offset(marks, offset), shown.read),
      mark_errors(add_offset(photo_marks, offset), photos.read),
    ),
  }  # fmt: skip
  result: dict[str, Any] = {
    'test_faces': len(shown.marks), 'photo_faces': len(photos.read),
    'photographs': len(np.unique(photos.group)),
  }  # fmt: skip
  for name, (ours, real) in errors.items():
    line = _line(ours.mean(1), shown.group, rng)
    entry: dict[str, Any] = {'rendered': line['mean'], 'rendered_ci': line['ci']}
    if real is not None:
      other = _line(real.mean(1), photos.group, rng)
      entry |= {'photos': other['mean'], 'photos_ci': other['ci']}
      entry['ratio'] = other['mean'] / line['mean']
      entry['ratio_ci'] = interval(other['draws'] / line['draws'])
      entry['median_ratio'] = float(np.median(real.mean(1)) / np.median(ours.mean(1)))
      entry['groups'] = {
        part: [float(ours[:, a:b].mean()), float(real[:, a:b].mean())]
        for part, (a, b) in crops.GROUPS.items()
      }
    result[name] = entry
  turns = {}
  for i, name in enumerate(('yaw', 'pitch', 'roll')):
    ours = np.abs(pose[:, i] - shown.read_pose[:, i])
    real = np.abs(photo_pose[:, i] - photos.read_pose[:, i])
    a, b = _line(ours, shown.group, rng), _line(real, photos.group, rng)
    turns[name] = {
      'exact': float(np.abs(pose[:, i] - shown.pose[:, i]).mean()),
      'rendered': a['mean'],
      'photos': b['mean'],
      'ratio': b['mean'] / a['mean'],
      'ratio_ci': interval(b['draws'] / a['draws']),
    }
  return result | {'pose': turns}


def _line(values, group, rng):
  draws = bootstrap(values, group, rng)
  return {'mean': float(values.mean()), 'ci': interval(draws), 'draws': draws}


def markdown(result: dict[str, Any]) -> str:
  def cell(entry, name):
    if name not in entry:
      return ''
    low, high = entry[f'{name}_ci']
    return f'{entry[name]:.2f} ({low:.2f} to {high:.2f})'

  lines = [
    '# Domain gap: rendered faces and photographs', '',
    f'Trained on {result["train_faces"]} rendered faces alone. Tested on '
    f'{result["test_faces"]} rendered faces of other people and '
    f'{result["photo_faces"]} faces in {result["photographs"]} photographs.', '',
    'Landmarks, per cent of the width between the outer eye corners:', '',
    '| reference | rendered | photographs | gap |', '|---|---|---|---|',
  ]  # fmt: skip
  for name, words in (
    ('exact', 'the renderer'),
    ('mesh', 'the mesh net'),
    ('aligned', 'the mesh net, definitions aligned'),
  ):
    entry = result[name]
    cells = (cell(entry, key) for key in ('rendered', 'photos', 'ratio'))
    lines.append(f'| {words} | ' + ' | '.join(cells) + ' |')
  lines += [
    '',
    '| part (aligned) | rendered | photographs | gap |',
    '|---|---|---|---|',
  ]
  for part, (ours, real) in result['aligned']['groups'].items():
    lines.append(f'| {part} | {ours:.2f} | {real:.2f} | {real / ours:.2f} |')
  lines += [
    '', 'Pose, degrees from the mesh net:', '',
    '| angle | rendered | photographs | gap | rendered, exact |',
    '|---|---|---|---|---|',
  ]  # fmt: skip
  for name, entry in result['pose'].items():
    lines.append(
      f'| {name} | {entry["rendered"]:.2f} | {entry["photos"]:.2f} | '
      f'{cell(entry, "ratio")} | {entry["exact"]:.2f} |'
    )
  return '\n'.join(lines) + '\n'


def write_sheet(path: Path, faces: crops.Faces, marks: np.ndarray) -> None:
  """Photographs with the net's landmarks (green) and the mesh's (red)."""
  import cv2

  cells = []
  for picture, ours, read in zip(faces.pictures, marks, faces.read, strict=True):
    cell = cv2.resize(picture, None, fx=1.5, fy=1.5, interpolation=cv2.INTER_LINEAR)
    for points, colour in ((read, (255, 40, 40)), (ours, (40, 255, 40))):
      for x, y in points * 1.5:
        cv2.circle(cell, (int(x), int(y)), 1, colour, -1)
    cells.append(cell)
  while len(cells) % 10:
    cells.append(np.zeros_like(cells[0]))
  rows = [np.concatenate(cells[i : i + 10], 1) for i in range(0, len(cells), 10)]
  cv2.imwrite(str(path), np.concatenate(rows)[..., ::-1])


def run(args: argparse.Namespace) -> int:
  if args.corpus_frames < 200:
    raise UsageError('--corpus-frames must be 200 or more')
  out = Path(args.out)
  photos = crops.photographs(Path(args.photos))
  people = -(-args.corpus_frames // EACH)
  held = max(people // TEST_SHARE, 4)
  try:
    out.mkdir(parents=True, exist_ok=True)
    paths = [out / f'faces-{kind}-{args.seed}.npz' for kind in ('train', 'test')]
    if args.render:
      for path in paths:
        path.unlink(missing_ok=True)
    shift = args.seed * 100_000
    draw = functools.partial(rendered, workers=args.workers)
    train = draw(paths[0], TRAIN_SEED + shift, people, mesh=False, plain=args.plain)
    test = draw(paths[1], TEST_SEED + shift, held, mesh=True)
  except OSError as error:
    raise UserError(f'cannot write in {out}: {error.strerror or error}') from error
  seen = np.isfinite(test.read).all((1, 2)) & (
    np.abs(test.pose[:, 0]) <= crops._MAX_YAW
  )
  test = crops.Faces(*(values[seen] for values in test))

  from experiments.gap import regressor

  ask = regressor.fit(train, args.seed, args.epochs)
  answers = {
    name: regressor.answers(ask(regressor.plain(faces)))
    for name, faces in (('test', test), ('photos', photos))
  }
  result = {
    'train_faces': len(train.pictures), 'epochs': args.epochs, 'seed': args.seed,
  }  # fmt: skip
  result |= measure(answers, test, photos, args.seed)
  text = markdown(result)
  (out / 'domain_gap.md').write_text(text)
  (out / 'domain_gap.json').write_text(json.dumps(result, indent=1) + '\n')
  write_sheet(out / 'photos.png', photos, answers['photos'][0])
  print(text)
  return 0


def parser() -> argparse.ArgumentParser:
  made = argparse.ArgumentParser(
    prog='python -m experiments.domain_gap', description=__doc__,
    formatter_class=argparse.RawDescriptionHelpFormatter,
  )  # fmt: skip
  add = made.add_argument
  add('--photos', required=True, help='folder of photographs')
  add('--out', required=True, help='folder of tables and rendered faces')
  add('--corpus-frames', type=int, default=6000, help='rendered faces to train on')
  add('--render', action='store_true', help='render anew: the corpus has changed')
  add('--plain', action='store_true', help='train on pictures without lens and sensor')
  add('--epochs', type=int, default=12, help='passes over the rendered faces')
  add('--seed', type=int, default=0, help='another seed: other people, other weights')
  add('--workers', type=int, default=2, help='rendering processes')
  add('--debug', action='store_true', help='show where an error came from')
  return made


def main(argv: Sequence[str] | None = None) -> int:
  args = parser().parse_args(argv)
  return run_command(lambda: run(args), args.debug)


if __name__ == '__main__':
  sys.exit(main())
