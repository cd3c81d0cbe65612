"""Fits the numbers by which `data_pipelines.perceive` reads pose and gaze.

    python -m experiments.fit_perception --people 320 --looks looks.npz

Rendered stills of exact pose and gaze are looked at by the public nets, and two small
ridge regressions (`data_pipelines/perceive/readout.py`) take away what geometry leaves.
People of the train split at numbers that no corpus draws. The printed errors are those
on people that were left out, five times a fifth of them. What the nets saw is kept in
`--looks`, so that a changed readout is fitted again within seconds; rendering takes 8
minutes on one core.
"""

import argparse
import sys
from pathlib import Path

import numpy as np

from data_pipelines.perceive import readout
from data_pipelines.perceive.geometry import fit_head
from data_pipelines.perceive.track import Track
from experiments.command import run_command

FIRST_SEED = 200 << 24
SIZES = (256, 384, 512)  # px, in turn
SHUT = 0.6  # eyes closed further than this are not asked where they look
POSE_RIDGE, EYE_RIDGE = 30.0, 10.0
NAMES = ('yaw', 'pitch', 'roll', 'log distance', 'tx', 'ty', 'eye yaw', 'eye pitch')


def look_at(seeds, frames: int) -> dict[str, np.ndarray]:
  """What the nets see of rendered people, and the truth.

  Returns:
    points, iris, lids, score as in `Track`; pose `(n, 6)` in the units of `Reading`,
    eyes `(n, 2)`, shut `(n,)` closure of the lids, seed `(n,)`.
  """
  from tqdm import tqdm

  from data_pipelines.perceive.track import follow_face
  from data_pipelines.synthetic.acting.visemes import UNIT
  from data_pipelines.synthetic.clips import render_stills

  rows: list[dict] = []
  for seed in tqdm(seeds, unit='person'):
    shots = render_stills(seed, frames, SIZES[seed % len(SIZES)], 1)
    acted = shots.performance
    pose = np.concatenate([np.rad2deg(acted.pose[:, :3]), acted.pose[:, 3:]], 1)
    shut = acted.units[:, [UNIT['eyeBlinkLeft'], UNIT['eyeBlinkRight']]].max(1)
    for i, picture in enumerate(shots.pictures):
      track = follow_face(picture[None])
      if track is not None:
        truth = {'pose': pose[i], 'eyes': acted.eyes[i], 'shut': shut[i], 'seed': seed}
        rows.append({k: v[0] for k, v in track._asdict().items()} | truth)
  return {name: np.stack([row[name] for row in rows]) for name in rows[0]}


def fit(looks: dict[str, np.ndarray]) -> readout.Calibration:
  """Both readouts, from all the looks given."""
  track, rough, local = _seen(looks)
  flat = local.reshape(len(local), -1)
  mean = flat.mean(0)
  _, spread, axes = np.linalg.svd(flat - mean, full_matrices=False)
  k = readout.COMPONENTS
  basis = axes[:k].T / (spread[:k] / np.sqrt(len(flat)))
  terms = readout.pose_terms(rough, local, mean, basis)
  pose = _ridge(terms, looks['pose'] - rough, POSE_RIDGE)
  open_ = looks['shut'] < SHUT
  terms = readout.eye_terms(track, rough + terms @ pose)
  eyes = _ridge(terms[open_], looks['eyes'][open_], EYE_RIDGE)
  return readout.Calibration(mean, basis, pose, eyes)


def left_out(looks: dict[str, np.ndarray], folds: int = 5) -> np.ndarray:
  """`(n, 8)` pose and eyes as read by fits that never saw the person."""
  people, which = np.unique(looks['seed'], return_inverse=True)
  out = np.zeros((len(which), 8))
  for fold in range(folds):
    mine = which * folds // len(people) == fold
    known = fit({name: value[~mine] for name, value in looks.items()})
    track, rough, local = _seen({name: value[mine] for name, value in looks.items()})
    terms = readout.pose_terms(rough, local, known.mean, known.basis)
    pose = rough + terms @ known.pose
    out[mine] = np.column_stack([pose, readout.eye_terms(track, pose) @ known.eyes])
  return out


def _seen(looks):
  track = Track(*(looks[name] for name in Track._fields))
  rough = fit_head(track.points)
  return track, rough, readout.head_frame(track.points, rough)


def _ridge(terms: np.ndarray, wanted: np.ndarray, strength: float) -> np.ndarray:
  """Least squares with a penalty on all but the constant; terms are of unit size."""
  penalty = strength * np.eye(terms.shape[1])
  penalty[0, 0] = 0
  return np.linalg.solve(terms.T @ terms + penalty, terms.T @ wanted)


def main(arguments: list[str] | None = None) -> int:
  parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
  add = parser.add_argument
  add('--people', type=int, default=320)
  add('--frames', type=int, default=6, help='stills of each')
  add('--looks', type=Path, help='file that keeps what the nets saw; read if there')
  add('--out', type=Path, default=readout.CALIBRATION)
  add('--debug', action='store_true')
  args = parser.parse_args(arguments)

  def work() -> int:
    if args.looks is not None and args.looks.is_file():
      with np.load(args.looks) as file:
        looks = {name: file[name] for name in file.files}
    else:
      looks = look_at(range(FIRST_SEED, FIRST_SEED + args.people), args.frames)
      if args.looks is not None:
        np.savez(args.looks, **looks)
    truth = np.concatenate([looks['pose'], looks['eyes']], 1)
    read = left_out(looks)
    _, rough, _ = _seen(looks)
    print(f'{len(truth)} frames of {len(np.unique(looks["seed"]))} people')
    print('| label | r, geometry alone | r | mean error |\n| --- | --- | --- | --- |')
    use = looks['shut'] < SHUT
    for i, name in enumerate(NAMES):
      keep = use if i > 5 else np.ones(len(truth), bool)
      before = f'{np.corrcoef(rough[:, i], truth[:, i])[0, 1]:.3f}' if i < 6 else ''
      error = np.abs(read[keep, i] - truth[keep, i]).mean()
      r = np.corrcoef(read[keep, i], truth[keep, i])[0, 1]
      print(f'| {name} | {before} | {r:.3f} | {error:.3f} |')
    known = fit(looks)
    arrays = {
      name: value.astype(np.float16 if name in ('mean', 'basis') else np.float32)
      for name, value in known._asdict().items()
    }
    np.savez_compressed(args.out, **arrays)
    print(f'{args.out}: {args.out.stat().st_size} bytes')
    return 0

  return run_command(work, args.debug)


if __name__ == '__main__':
  sys.exit(main())
