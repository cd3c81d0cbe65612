"""One row of Table 5: a motion model under given guidance and steps, scored.

People of the test split say something. The motion model of given weights moves their
first picture, under the truth's own main gaze, distance and emotion; the videos are
written with sound, then looked at like those of any other system.
"""

import dataclasses
import hashlib
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import numpy as np

from experiments.guidance.people import Person, film, people, write_video
from vasa_jax.errors import UsageError, UserError
from vasa_jax.files import write_whole

REAL, AGAIN = 'real', 'another take'


@dataclasses.dataclass(frozen=True, kw_only=True)
class GuidanceRun:
  """Settings of a row.

  Attributes:
    weights: folder, or `embedded`.
    shows: 'model', or what it is compared with: 'real', or 'another take' of the same
      speech by somebody else on the same face. For these, guidance means nothing.
    guidance_audio, guidance_gaze: lambdas of equation 2.
    sampling_steps: of the sampler.
    speeches: people, one clip each, of which the latents are scored.
    filmed: of them (all, if there are fewer), for whom videos are made and looked at.
    frames: of each clip, at 25 a second.
    seeds: videos of each speech.
    people_seed: another one, other people.
    voices: names or programs; none is all quick ones of this machine.
    features: the audio front end; '' is what the weights' folder names.
    windows: of 25 frames, from each video, for FVD.
    films: folder of the rendered people, shared by the rows; default: beside DIR.
  """

  PROGRAM = 'experiments.guidance_run'

  weights: str = 'embedded'
  shows: Literal['model', 'real', 'another take'] = 'model'
  guidance_audio: float = 0.5
  guidance_gaze: float = 1.0
  sampling_steps: int = 50
  speeches: int = 24
  filmed: int = 12
  frames: int = 100
  seeds: int = 3
  people_seed: int = 0
  voices: tuple[str, ...] = ()
  features: str = ''
  windows: int = 2
  films: str = ''

  def __post_init__(self):
    for name in ('sampling_steps', 'speeches', 'filmed', 'frames', 'seeds', 'windows'):
      if getattr(self, name) < 1:
        raise UsageError(f'{name} must be 1 or more, not {getattr(self, name)}')

  @staticmethod
  def collect(workdir: Path) -> Path:
    """Makes the table of all rows under `workdir`; its path."""
    from experiments.guidance.tables import write_table

    return write_table(workdir)


def score(run: GuidanceRun, workdir: Path) -> dict[str, Any]:
  """Makes the videos of a row, scores them, and writes `scores.json`."""
  from vasa_jax.inference.talking_face import TalkingFace

  face = TalkingFace.load(None if run.weights == 'embedded' else run.weights)
  if not face.bundle.motion_config.anchored:
    raise UserError(
      f'{run.weights}: what these latents mean is not known (not anchored), so that no '
      'rendered person can be moved by them'
    )
  films = Path(run.films) if run.films else workdir.parent / 'films'
  films = films / f'seed{run.people_seed}_{face.size}px_{run.frames}'
  who = list(
    watched(people(run.speeches, run.people_seed, run.voices, run.frames), 'people')
  )
  seen = who[: run.filmed]
  for take in (REAL,) if run.shows == 'model' else (REAL, run.shows):
    for person in watched(seen, f'filming, {take}'):
      film(person, take, face.size, _film(films, take, person))
  rows, sets = [], []
  for seed in range(run.seeds if run.shows == 'model' else 1):
    if run.shows == 'model':
      videos = workdir / 'videos' / f'seed{seed}'
      made = list(_talk(run, face, who, films, videos, seed))
    else:
      videos = films / run.shows
      made = [_exact(person, seed, _motion(person, run.shows)) for person in who]
    for row, read in zip(made, _look(seen, films, videos, workdir), strict=False):
      row |= read
    rows += made
    sets.append({'seed': seed, **_distances(run, seen, films, videos, workdir)})
  result = {
    'settings': dataclasses.asdict(run),
    'weights': f'{face.bundle.name} {face.bundle.digest}'.strip(),
    'clips': rows,
    'sets': sets,
  }
  write_json(workdir / 'scores.json', result)
  return result


def _film(films: Path, take: str, person: Person) -> Path:
  return films / take / f'{person.name}.mp4'


def _motion(person: Person, take: str) -> np.ndarray:
  return person.speaker.motion if take == REAL else person.speaker.again


def _talk(run, face, who, films, videos: Path, seed: int) -> Iterator[dict[str, Any]]:
  """Makes the videos of a seed; yields what the latents themselves say."""
  from data_pipelines.motion_hearing import front_end
  from experiments.motion_judging.systems import of_generator
  from experiments.motion_judging.trials import own_controls
  from vasa_jax.types import POSE_DIM, Motion

  ear = front_end(run.features or face.hears)
  system = of_generator(
    'model', face.generator, steps=run.sampling_steps,
    guidance_audio=run.guidance_audio, guidance_gaze=run.guidance_gaze,
  )  # fmt: skip
  videos.mkdir(parents=True, exist_ok=True)
  for i, person in enumerate(watched(who, f'speaking, seed {seed}')):
    speaker = person.speaker
    path = videos / f'{person.name}.mp4'
    kept = path.with_suffix('.npy')
    if kept.is_file():
      motion = np.load(kept)
    else:
      heard = ear.hear(speaker.audio)[: len(speaker.motion)].astype(np.float32)
      heard = heard * ear.scale + ear.offset
      motion = system.act(heard, own_controls(speaker), seed * 1000 + i)
      data = io.BytesIO()
      np.save(data, motion)
      write_whole(kept, data.getvalue())
    if i < run.filmed and not path.is_file():
      moved = Motion(motion[:, :POSE_DIM], motion[:, POSE_DIM:])
      code, picture = _portrait(face, _film(films, REAL, person))
      frames = face.frames(code, iter([moved]))
      tags = _tags(run, face, seed, picture, speaker.audio)
      write_video(path, frames, face.size, speaker.audio, tags)
    yield _exact(person, seed, motion)


def _portrait(face, film: Path) -> tuple[Any, np.ndarray]:
  """The face code of a person's first picture by its exact labels, and the picture."""
  from vasa_jax.face.prior import HeadTemplate, shape_vertices
  from vasa_jax.face.template import load_template
  from vasa_jax.inference.models import Source
  from vasa_jax.types import Motion

  with np.load(film.with_suffix('.npz')) as kept:
    picture, pose, dyn, shape = (
      kept[name] for name in ('picture', 'pose', 'dyn', 'shape')
    )
  vertices = None
  if face.bundle.face_config.pixel_path is not None:
    vertices = shape_vertices(HeadTemplate.of(load_template()), shape[None])
  motion = Motion(pose[None].astype(np.float32), dyn[None].astype(np.float32))
  return face.face.encode(_Crop(picture), Source(motion, vertices)), picture


@dataclasses.dataclass(frozen=True)
class _Crop:
  """What the encoder needs of a portrait."""

  crop: np.ndarray


def _tags(run, face, seed, picture, audio) -> dict[str, str]:
  import vasa_jax
  from vasa_jax.inference.media import provenance

  return provenance.to_tags(
    provenance.statement(
      version=vasa_jax.__version__,
      weights=f'{face.bundle.name} {face.bundle.digest}'.strip(),
      seed=seed,
      portrait_sha256=hashlib.sha256(picture.tobytes()).hexdigest(),
      audio_sha256=hashlib.sha256(audio.tobytes()).hexdigest(),
      settings={
        'steps': run.sampling_steps,
        'guidance_audio': run.guidance_audio,
        'guidance_gaze': run.guidance_gaze,
      },
    )
  )


def _exact(person: Person, seed: int, motion: np.ndarray) -> dict[str, Any]:
  """Scores of the latents, against the person's own truth."""
  from experiments.motion_judging import scores

  speaker = person.speaker
  closed = scores.closures(motion, speaker.phones)
  return {
    'clip': person.name,
    'seed': seed,
    'frames': len(motion),
    'mouth_r': scores.follows(motion, speaker.motion)[0],
    'closures': float(100 * closed.mean()) if len(closed) else float('nan'),
    'delta_p': scores.delta_p(motion),
    'gaze_error': scores.gaze_error(motion, speaker.gaze),
    'distance_error': scores.distance_error(motion, speaker.distance),
  }


def _look(who, films, videos: Path, workdir: Path) -> list[dict[str, Any]]:
  """What nets that we did not train read from the finished videos."""
  from vasa_jax.metrics.evaluator import Clip, score_clips
  from vasa_jax.metrics.obeyed import Asked

  clips = []
  for person in who:
    film = _film(films, REAL, person)
    with np.load(film.with_suffix('.npz')) as kept:
      picture, near = kept['picture'], float(np.exp(kept['pose'][3]))
    speaker = person.speaker
    asked = Asked(tuple(map(float, speaker.gaze)), speaker.distance / near)
    clips.append(
      Clip(f'{videos.name}/{person.name}', videos / f'{person.name}.mp4', picture,
           asked=asked)
    )  # fmt: skip
  seen = score_clips(clips, workdir, progress=lambda c: watched(c, 'looking'))
  if seen.failures:
    raise UserError(seen.failures[0])
  names = {
    'delta_p': 'delta_p_seen', 'gaze_error': 'gaze_error_seen',
    'distance_error': 'distance_error_seen', 'mesh_found': 'mesh_found',
  }  # fmt: skip
  return [{new: row[old] for old, new in names.items()} for row in seen.rows]


def _distances(run, who, films, videos: Path, workdir: Path) -> dict[str, Any]:
  """Distances of one seed's videos to the films of the same people."""
  from vasa_jax.metrics.evaluator import Clip
  from vasa_jax.metrics.frechet import frechet_distance, kernel_distance
  from vasa_jax.metrics.video_features import Windows, collect

  if run.shows == REAL:
    return {}
  kind, found = Windows(run.windows), []
  for folder, kept in ((films / REAL, films), (videos, workdir)):
    clips = [Clip(p.name, folder / f'{p.name}.mp4') for p in who]
    try:
      found.append(
        collect(clips, kind, kept / 'features', lambda c: watched(c, 'features'))
      )
    except UserError as error:
      return {'not measured: FVD25': str(error)}
  real, made = found
  return {
    'fvd25': frechet_distance(made.rows, real.rows),
    'kvd25': kernel_distance(made.rows, real.rows),
    'windows': len(made.rows),
  }


def watched(items, what: str):
  """Passes items on with a bar on a terminal."""
  from tqdm import tqdm

  yield from tqdm(items, desc=what, unit='clip', disable=None)


def write_json(path: Path, value: Any) -> None:
  """Writes a file whole or not at all."""
  write_whole(path, json.dumps(value, indent=1) + '\n')
