"""What independent nets say of the rendered corpus, beside the exact truth.

    python -m experiments.judge_corpus --frames 500 --identities 300 --out DIR
    python -m experiments.judge_corpus --only emotion --out DIR          (1 minute)

Writes `judges.md`, `judges.json` and `worst.png` (the frames the judges refuse or
misread most). Parts: `frames` (detector, mesh, mouth, gaze, pose), `identity` (128-d
descriptor; needs dlib), `emotion` (needs `python -m experiments.fetch_weights
emotion`). None of the nets was trained here. About 6 minutes on two cores at 256 px.

Nothing of this depends on how the corpus is made: frames come from
`clips.render_stills`, people from the test split.
"""

import argparse
import functools
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from experiments.command import run_command
from experiments.judges import shots, sums
from vasa_jax.errors import UsageError, UserError
from vasa_jax.metrics.gaze import read_gaze

PARTS = ('frames', 'identity', 'emotion')
FIRST_SEED = (2 << 40) + (9 << 24)  # people of the test split that nothing else draws
_MIN_SCORE = 0.5
_LIPS = (0, 17, 61, 291)  # of the mesh: up, down and both corners


def look(picture: np.ndarray) -> dict[str, np.ndarray] | None:
  """Mesh, irises and head pose of the largest face; None if there is none."""
  from vasa_jax.inference.finding.detector import find_faces
  from vasa_jax.inference.finding.landmarks import find_landmarks
  from vasa_jax.metrics.faces import mesh_pose

  for face in find_faces(picture)[:1]:
    seen = find_landmarks(picture, face)
    if seen.score >= _MIN_SCORE:
      return {
        'points': seen.points,
        'irises': seen.irises,
        'pose': mesh_pose(seen.points),
      }
  return None


def judge_frames(
  seed: int, frames: int, size: int, describe: bool, plain: bool = False
) -> dict[str, Any]:
  """One person: every frame looked at by all nets, with the truth beside it.

  Frame 0 (at rest, from the front) only serves the descriptor.
  """
  from vasa_jax.inference.finding.detector import find_faces
  from vasa_jax.metrics.mouth import mouth_opening

  drawn = shots.draw_stills(seed, frames + 1, size, plain=plain)
  lids = [_unit('eyeBlinkLeft'), _unit('eyeBlinkRight')]
  rows = []
  for t in range(1, frames + 1):
    picture = drawn.pictures[t]
    row: dict[str, Any] = {
      'detected': bool(find_faces(picture)),
      'truth_pose': np.degrees(drawn.pose[t, :3]),
      'truth_eyes': np.degrees(drawn.eyes[t]),
      'truth_opening': float(drawn.opening[t]),
      'mouth_inside': bool((np.abs(drawn.marks[t, list(_LIPS)] - 0.5) < 0.5).all()),
      'jaw': float(drawn.units[t][_unit('jawOpen')]),
      'closed': float(drawn.units[t][lids].max()),
      'picture': picture,
    }  # fmt: skip
    seen = look(picture)
    row['found'] = seen is not None
    if seen is not None:
      row |= {'pose': seen['pose'], 'gaze': read_gaze(**seen)}
      row['opening'] = float(mouth_opening(seen['points'][None])[0])
      away = seen['points'][:, :2] / size - drawn.marks[t]
      width = np.linalg.norm(drawn.marks[t, 263] - drawn.marks[t, 33])
      row['mark_error'] = float(np.linalg.norm(away, axis=-1).mean() / width)
    rows.append(row)
  codes = [None]
  if describe:
    net = _descriptor()
    codes = [net(picture) for picture in drawn.pictures]
  return {'seed': seed, 'rows': rows, 'codes': codes, 'portrait': drawn.pictures[0]}


def judge_face(seed: int, size: int, plain: bool = False) -> list[dict[str, Any]]:
  """One person with the six basic emotions and none, from the front, at full strength.

  The person's number chooses the variant of each emotion, so all of them are judged.
  """
  from data_pipelines.synthetic.acting.emotions import EMOTION_VARIANTS
  from vasa_jax.metrics.emotion import CLASSES, crop_face, load_reader

  faces = [EMOTION_VARIANTS[name] for name in CLASSES]
  drawn = shots.draw_faces(seed, [v[seed % len(v)] for v in faces], size, plain=plain)
  rows = []
  for name, variants, picture in zip(CLASSES, faces, drawn.pictures, strict=True):
    row = {'emotion': name, 'variant': seed % len(variants), 'picture': picture}
    seen = look(picture)
    if seen is not None:
      scores = _cached(load_reader)(crop_face(picture, seen['points'])[None])[0]
      row |= {'scores': scores, 'read': CLASSES[int(scores.argmax())]}
    rows.append(row)
  return rows


@functools.cache
def _cached(load):
  return load()


def _descriptor():
  from vasa_jax.metrics.faces import load_descriptor

  return _cached(load_descriptor)


def _unit(name: str) -> int:
  from data_pipelines.synthetic.assets import UNITS

  return UNITS.index(name)


def run(args: argparse.Namespace) -> int:
  parts = args.only or list(PARTS)
  if min(args.frames, args.identities, args.faces) < 2:
    raise UsageError('--frames, --identities and --faces must be 2 or more')
  if 'emotion' in parts:
    from vasa_jax.teachers.fetch import load_fetched

    load_fetched('emotion')  # said now, not after minutes
  if 'identity' in parts:
    _descriptor()
  out = Path(args.out)
  result: dict[str, Any] = {
    'frames': args.frames, 'identities': args.identities, 'faces': args.faces,
    'size': args.size, 'seed': args.seed, 'plain': args.plain,
  }  # fmt: skip
  worst: list[tuple[str, np.ndarray]] = []
  first = FIRST_SEED + args.seed * 100_000
  if 'frames' in parts or 'identity' in parts:
    describe = 'identity' in parts
    # Frames a person so that both numbers are reached.
    each = max(-(-args.frames // args.identities), 1)
    people = args.identities if describe else -(-args.frames // each)
    work = functools.partial(
      judge_frames, frames=each, size=args.size, describe=describe, plain=args.plain
    )
    seeds = range(first, first + people)
    judged = list(shots.over_people(work, seeds, args.workers, 'frames'))
    rows = [row for person in judged for row in person['rows']]
    if 'frames' in parts:
      result['perception'], refused = sums.perception(rows[: args.frames])
      worst += refused
    if describe:
      result['identity'], alike = sums.identity(judged)
      worst += alike
  if 'emotion' in parts:
    seeds = range(first + 50_000, first + 50_000 + args.faces)
    work = functools.partial(judge_face, size=args.size, plain=args.plain)
    faces = list(shots.over_people(work, seeds, args.workers, 'emotion'))
    result['emotion'], misread = sums.emotion(
      [row for person in faces for row in person]
    )
    worst += misread
  try:
    out.mkdir(parents=True, exist_ok=True)
    text = sums.markdown(result)
    (out / 'judges.md').write_text(text)
    (out / 'judges.json').write_text(json.dumps(result, indent=1) + '\n')
    if worst:
      sums.write_sheet(out / 'worst.png', worst)
  except OSError as error:
    raise UserError(f'cannot write in {out}: {error.strerror or error}') from error
  print(text)
  return 0


def parser() -> argparse.ArgumentParser:
  made = argparse.ArgumentParser(
    prog='python -m experiments.judge_corpus', description=__doc__,
    formatter_class=argparse.RawDescriptionHelpFormatter,
  )  # fmt: skip
  add = made.add_argument
  add('--out', required=True, help='folder of the tables')
  add('--frames', type=int, default=500, help='random frames')
  add('--identities', type=int, default=300, help='people for the descriptor')
  add('--faces', type=int, default=30, help='people who show the emotions')
  add('--only', nargs='+', choices=PARTS, help='these parts alone')
  add('--plain', action='store_true', help='pictures without lens, sensor and codec')
  add('--size', type=int, default=shots.SIZE, help='side of the pictures')
  add('--seed', type=int, default=0, help='another seed, other people')
  add('--workers', type=int, default=2, help='processes')
  add('--debug', action='store_true', help='show where an error came from')
  return made


def main(argv: Sequence[str] | None = None) -> int:
  args = parser().parse_args(argv)
  return run_command(lambda: run(args), args.debug)


if __name__ == '__main__':
  sys.exit(main())
