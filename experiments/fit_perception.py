"""Fits the numbers by which `data_pipelines.perceive` reads pose, gaze and mouth.

    python -m experiments.fit_perception --looks looks.npz

Rendered frames of exact truth are looked at by the public nets, and three ridge
regressions (`data_pipelines/perceive/readout.py`) take away what geometry leaves. Some
are stills of people with strong expressions, in others people talk and turn, a frame
every quarter of a second; all are of the train split at numbers that no corpus draws.
The printed errors are those on people that were left out, five times a fifth of them.
What the nets saw is kept in `--looks`, so that a changed readout is fitted again within
seconds; rendering takes 20 minutes on one core.
"""

import argparse
import dataclasses
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np

from data_pipelines.perceive import blinks, readout
from data_pipelines.perceive.track import Track
from experiments.command import run_command

FIRST_STILL = 200 << 24  # people of the train split that nothing else draws
FIRST_TALKER = FIRST_STILL + (1 << 13)
SIZES = (256, 384, 512)  # px, in turn
STILLS, TALKING, SPOKEN = 6, 12, 75  # frames: of a person, of a talker, and out of
SHUT = 0.6  # eyes closed further than this are not asked where they look
# For every thousand frames.
POSE_RIDGE, EYE_RIDGE, MOUTH_RIDGE, LID_RIDGE = 25.0, 0.5, 3.0, 1.0
RARE, SHUT_WEIGHT = 0.5, 7.0  # frames with eyes shut farther count so many times
# The share of each person's mean that is taken off before the pose is fitted. Frames of
# one person err alike; taken as they are, they would count as so many people.
SHARED = 0.6
SEEN = ('points', 'iris', 'lids', 'score')  # what is kept of a `Track`
NAMES = (
  'yaw', 'pitch', 'roll', 'log distance', 'tx', 'ty', 'eye yaw', 'eye pitch',
  'mouth opening',
)  # fmt: skip


def still_shots(seed: int):
  """`Shots` of unrelated frames of a person."""
  from data_pipelines.synthetic.clips import render_stills

  return render_stills(seed, STILLS, SIZES[seed % len(SIZES)], 1)


def talking_shots(seed: int):
  """`Shots` of frames here and there from three seconds of talk."""
  from data_pipelines.synthetic.clips import render
  from experiments.perception_clips import act

  acted = act(seed, np.random.default_rng((seed, 3)), 'train', SPOKEN).acted
  at = np.linspace(0, len(acted.pose) - 1, TALKING).astype(int)
  fields = (field.name for field in dataclasses.fields(acted))
  some = dataclasses.replace(acted, **{n: getattr(acted, n)[at] for n in fields})
  return render(seed, some, SIZES[seed % len(SIZES)], 1, moving=False)


def look_at(seeds, shots_of: Callable) -> dict[str, np.ndarray]:
  """What the nets see of rendered people, and the truth.

  Args:
    seeds: of the people.
    shots_of: a seed to its `Shots`.

  Returns:
    points, iris, lids, score as in `Track`; pose `(n, 6)` in the units of `Reading`,
    eyes `(n, 2)`, shut `(n,)` closure of the lids, mouth `(n,)`, seed `(n,)`.
  """
  from tqdm import tqdm

  from data_pipelines.perceive.track import follow_face
  from data_pipelines.synthetic.acting.visemes import UNIT
  from experiments.perception_clips import true_opening

  rows: list[dict] = []
  for seed in tqdm(seeds, unit='person'):
    shots = shots_of(seed)
    acted = shots.performance
    pose = np.concatenate([np.rad2deg(acted.pose[:, :3]), acted.pose[:, 3:]], 1)
    shut = acted.units[:, [UNIT['eyeBlinkLeft'], UNIT['eyeBlinkRight']]].max(1)
    mouth = true_opening(acted.units, shots.shape)
    for i, picture in enumerate(shots.pictures):
      track = follow_face(picture[None])
      if track is not None:
        truth = {'pose': pose[i], 'eyes': acted.eyes[i], 'shut': shut[i]}
        truth |= {'mouth': mouth[i], 'seed': seed}
        rows.append({k: getattr(track, k)[0] for k in SEEN} | truth)
  return {name: np.stack([row[name] for row in rows]) for name in rows[0]}


def fit(looks: dict[str, np.ndarray]) -> readout.Calibration:
  """All three readouts, from all the looks given."""
  track, who = _track(looks), _who(looks)
  seen = readout.see(track)
  mean = seen.shape.mean(0)
  basis = _principal(seen.shape - mean, readout.COMPONENTS)
  scores = readout.scores_of(seen.shape, mean, basis)

  terms = readout.with_means(readout.pose_terms(seen.rough, scores), who)
  wanted = looks['pose'] - seen.rough
  pose = _ridge(_less_mean(terms, who), _less_mean(wanted, who), POSE_RIDGE)

  open_ = looks['shut'] < SHUT
  terms = readout.eye_terms(track, seen.rough + terms @ pose, scores)
  eyes = _ridge(terms[open_], looks['eyes'][open_], EYE_RIDGE)

  lips = readout.lips_of(seen.local).mean(0)
  terms = readout.with_means(readout.mouth_terms(seen.rough, seen.local, lips), who)
  mouth = _ridge(terms, looks['mouth'], MOUTH_RIDGE)
  lids = _fit_lids(blinks.lid_terms(track, seen.rough, seen.local), looks['shut'], who)
  return readout.Calibration(mean, basis, lips, pose, eyes, mouth, lids)


def _fit_lids(terms: np.ndarray, shut: np.ndarray, who: np.ndarray) -> np.ndarray:
  """`(183,)` weights: from what is usual for each person to how far the eyes shut."""
  terms = np.concatenate([np.ones((len(terms), 1)), terms], 1)
  for i in range(who.max() + 1):
    mine = who == i
    terms[mine, 1:] = blinks.bounded(blinks.less_usual(terms[mine, 1:]))
  root = np.sqrt(np.where(shut > RARE, SHUT_WEIGHT, 1.0))
  return _ridge(terms * root[:, None], shut.clip(0, 1) * root, LID_RIDGE)[1:]


def left_out(looks: dict[str, np.ndarray], folds: int = 5) -> np.ndarray:
  """`(n, 9)` pose, eyes and mouth as read by fits that never saw the person."""
  who = _who(looks)
  out = np.zeros((len(who), 9))
  for fold in range(folds):
    mine = who % folds == fold
    known = fit({name: value[~mine] for name, value in looks.items()})
    out[mine] = read({name: value[mine] for name, value in looks.items()}, known)
  return out


def read(looks: dict[str, np.ndarray], known: readout.Calibration) -> np.ndarray:
  """`(n, 9)` pose, eyes and mouth; as `read_track`, but nothing is smoothed."""
  track, who = _track(looks), _who(looks)
  seen = readout.see(track)
  scores = readout.scores_of(seen.shape, known.mean, known.basis)
  terms = readout.with_means(readout.pose_terms(seen.rough, scores), who)
  pose = seen.rough + terms @ known.pose
  terms = readout.mouth_terms(seen.rough, seen.local, known.lips)
  mouth = readout.with_means(terms, who) @ known.mouth
  eyes = readout.eye_terms(track, pose, scores) @ known.eyes
  return np.column_stack([pose, eyes, mouth])


def _track(looks) -> Track:
  return Track(*(looks[name] for name in SEEN))


def _who(looks) -> np.ndarray:
  return np.unique(looks['seed'], return_inverse=True)[1]


def _principal(values: np.ndarray, count: int) -> np.ndarray:
  """`(n, d)` to `(d, count)`: the scores `values @ basis` have unit variance."""
  power, axes = np.linalg.eigh(values.T @ values / len(values))
  return axes[:, : -count - 1 : -1] / np.sqrt(
    np.maximum(power[: -count - 1 : -1], 1e-12)
  )


def _less_mean(values: np.ndarray, who: np.ndarray) -> np.ndarray:
  means = np.stack([values[who == i].mean(0) for i in range(who.max() + 1)])
  return values - SHARED * means[who]


def _ridge(terms: np.ndarray, wanted: np.ndarray, strength: float) -> np.ndarray:
  """Least squares with a penalty on all but the constant; terms are of unit size."""
  penalty = strength * len(terms) / 1000 * np.eye(terms.shape[1])
  penalty[0, 0] = 0
  return np.linalg.solve(terms.T @ terms + penalty, terms.T @ wanted)


def main(arguments: list[str] | None = None) -> int:
  parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
  add = parser.add_argument
  add('--people', type=int, default=640, help='stills of so many people')
  add('--talkers', type=int, default=800, help='and so many who talk')
  add('--looks', type=Path, help='file that keeps what the nets saw; read if there')
  add('--out', type=Path, default=readout.CALIBRATION)
  add('--debug', action='store_true')
  args = parser.parse_args(arguments)

  def work() -> int:
    if args.looks is not None and args.looks.is_file():
      with np.load(args.looks) as file:
        looks = {name: file[name] for name in file.files}
    else:
      parts = [
        look_at(range(first, first + count), shots_of)
        for first, count, shots_of in (
          (FIRST_STILL, args.people, still_shots),
          (FIRST_TALKER, args.talkers, talking_shots),
        )
        if count
      ]
      looks = {name: np.concatenate([p[name] for p in parts]) for name in parts[0]}
      if args.looks is not None:
        np.savez(args.looks, **looks)
    print(as_markdown(looks, left_out(looks)))
    arrays = {
      name: value.astype(np.float16 if name in ('mean', 'basis') else np.float32)
      for name, value in fit(looks)._asdict().items()
    }
    np.savez_compressed(args.out, **arrays)
    print(f'{args.out}: {args.out.stat().st_size} bytes')
    return 0

  return run_command(work, args.debug)


def as_markdown(looks: dict[str, np.ndarray], found: np.ndarray) -> str:
  """r and mean error of what was read, stills and talkers apart."""
  truth = np.column_stack([looks['pose'], looks['eyes'], looks['mouth']])
  lines = []
  for title, mine in (
    ('stills', looks['seed'] < FIRST_TALKER),
    ('talkers', looks['seed'] >= FIRST_TALKER),
  ):
    if not mine.any():
      continue
    lines += [
      f'{title}: {mine.sum()} frames of {len(np.unique(looks["seed"][mine]))} people',
      '| label | r | mean error |\n| --- | --- | --- |',
    ]
    for i, name in enumerate(NAMES):
      keep = mine & (looks['shut'] < SHUT) if 'eye' in name else mine
      error = np.abs(found[keep, i] - truth[keep, i]).mean()
      r = np.corrcoef(found[keep, i], truth[keep, i])[0, 1]
      lines.append(f'| {name} | {r:.3f} | {error:.3f} |')
  return '\n'.join(lines)


if __name__ == '__main__':
  sys.exit(main())
