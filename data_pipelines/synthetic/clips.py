"""From a number to a finished clip: who, where, how lit, what is said, how filmed.

`render_clip(index, recipe)` is a pure function: every process on every machine makes
the same bytes of it, whether `synthesize` calls it, or Beam.
"""

import dataclasses
import json
from typing import NamedTuple

import numpy as np

from data_pipelines import schema
from data_pipelines.synthetic.acting.performance import (
  Performance,
  perform,
  pose_for_stills,
)
from data_pipelines.synthetic.acting.rotations import (
  euler_angles,
  gaze_of,
  rotation_matrix,
)
from data_pipelines.synthetic.acting.spells import silent_speech
from data_pipelines.synthetic.drawing import scene
from data_pipelines.synthetic.drawing.render import Renderer
from data_pipelines.synthetic.filming.backdrop import sample_backdrop
from data_pipelines.synthetic.filming.camera import Camera, expose, sample_camera
from data_pipelines.synthetic.filming.style import Style, sample_style
from data_pipelines.synthetic.filming.stylise import stylise
from data_pipelines.synthetic.people.heads import Identity, sample_identity
from data_pipelines.synthetic.people.traits import sample_traits, stream
from data_pipelines.synthetic.recipe import LICENCE, SOURCE, Recipe
from data_pipelines.synthetic.shape import identity_shape
from data_pipelines.synthetic.speaking import speech, voices
from data_pipelines.synthetic.speaking.acoustics import record, sample_room


class Shots(NamedTuple):
  """The frames of one person before they are encoded, with what is known of them.

  pictures: `(t, s, s, 3)` uint8 RGB. points: `(t, 384, 3)` float16 x, y in crop units,
  visible. landmarks: `(t, 468, 2)` float32 crop units. shape: `(64,)` float32. The
  others as in `schema.Truth`.
  """

  pictures: np.ndarray
  points: np.ndarray
  landmarks: np.ndarray
  performance: Performance
  shape: np.ndarray
  identity_vector: np.ndarray
  light: np.ndarray
  camera: Camera
  style: Style | None
  worn: tuple[str, ...]


_renderers: dict[tuple[int, int], Renderer] = {}


def _renderer(size: int, supersample: int) -> Renderer:
  """One renderer of each kind a process: it holds one person at a time."""
  return _renderers.setdefault((size, supersample), Renderer(size, supersample))


def worn_by(identity: Identity) -> tuple[str, ...]:
  """Names of the hair, brows and clothes of a person, and of the pieces."""
  everybody = ('skin', 'eyes', 'teeth', 'tongue', 'lashes')
  own = [name for name in identity.parts if name not in everybody]
  return (*own, *(piece.name for piece in identity.pieces))


def seen_from(acted: Performance, tilt: np.ndarray) -> Performance:
  """The same performance before a camera that is turned about the person.

  Args:
    acted: in the frame of an upright camera.
    tilt: `(3,)` yaw, pitch, roll in radians that the whole person shows more.
  """
  turned = rotation_matrix(tilt)
  head = euler_angles(turned @ rotation_matrix(acted.pose[:, :3]))
  body = euler_angles(turned @ rotation_matrix(acted.body))
  pose = np.concatenate([head, acted.pose[:, 3:]], 1).astype(np.float32)
  gaze = gaze_of(pose, acted.eyes)
  return dataclasses.replace(acted, pose=pose, body=body.astype(np.float32), gaze=gaze)


def render(
  seed: int,
  acted: Performance,
  size: int,
  supersample: int = 2,
  *,
  art: float = 0.0,
  plain: bool = False,
  moving: bool = True,
) -> Shots:
  """Films the person `seed` through a performance.

  Args:
    seed: of the person, the place, the light, the camera.
    acted: what the person does.
    size: side of the pictures.
    supersample: samples a pixel along each side.
    art: how likely the pictures are painted or drawn.
    plain: no lens, sensor or codec; the camera stands straight.
    moving: frames follow each other in time, so that motion may blur.
  """
  rng = stream(seed, topic='place')
  identity = sample_identity(seed)
  place = sample_backdrop(rng, size)
  light = scene.sample_light(rng, place)
  rng = stream(seed, topic='camera')
  camera = sample_camera(rng)
  style = sample_style(rng) if rng.random() < art else None
  if plain:
    camera = dataclasses.replace(camera, fov=24.0, tilt=(0.0, 0.0, 0.0))
  else:
    acted = seen_from(acted, np.asarray(camera.tilt))
  renderer = _renderer(size, supersample)
  renderer.load(identity, place.picture, camera.fov)
  frames = [
    renderer.frame(units, pose, eyes, light, body)
    for units, pose, eyes, body in zip(
      acted.units, acted.pose, acted.eyes, acted.body, strict=True
    )
  ]
  pictures = np.stack([frame.picture for frame in frames])
  if style is not None:
    pictures = stylise(pictures, style, stream(seed, topic='style'))
  if not plain:
    pictures = expose(pictures, camera, stream(seed, topic='sensor'), stills=not moving)
  return Shots(
    pictures=pictures,
    points=np.stack([frame.points for frame in frames]).astype(np.float16),
    landmarks=np.stack([frame.landmarks for frame in frames]),
    performance=acted,
    shape=identity_shape(identity),
    identity_vector=identity.vector(),
    light=light.flat(),
    camera=camera,
    style=style,
    worn=worn_by(identity),
  )


def render_stills(
  seed: int,
  frames: int,
  size: int,
  supersample: int = 2,
  *,
  art: float = 0.0,
  plain: bool = False,
) -> Shots:
  """Unrelated frames of the person `seed`: what stage 1 learns from."""
  acted = pose_for_stills(np.random.default_rng((seed, 2)), frames)
  return render(seed, acted, size, supersample, art=art, plain=plain, moving=False)


def say_something(
  rng: np.random.Generator, recipe: Recipe, male: float
) -> speech.Speech:
  """A split's text in a split's voice of the person's sex; or nothing, for a listener.

  Args:
    rng: draws everything.
    recipe: its split, voices, shortest and longest clip, share of listeners.
    male: of the person, 0..1.
  """
  shortest, longest = recipe.seconds
  if rng.random() < recipe.listening:
    return silent_speech(float(rng.uniform(shortest, longest)))
  fitting = voices.voices_of(recipe.split, recipe.voices)
  sex = 'man' if male > 0.5 else 'woman'
  same = tuple(voice for voice in fitting if voices.sex_of(voice) == sex)
  said = voices.say(rng, recipe.split, same or fitting, shortest)
  return speech.trim(said, int(longest * schema.SAMPLE_RATE))


def render_clip(index: int, recipe: Recipe) -> schema.Clip:
  """Clip `index` of a corpus; a pure function of its arguments."""
  seed = recipe.person(index)
  look = {'art': recipe.art, 'plain': recipe.plain}
  if recipe.is_still(index):
    said = None
    shots = render_stills(seed, recipe.frames, recipe.size, recipe.supersample, **look)
  else:
    rng = np.random.default_rng((seed, 1))
    said = say_something(rng, recipe, sample_traits(seed).male)
    acted = perform(said, rng)
    shots = render(seed, acted, recipe.size, recipe.supersample, **look)
    if not recipe.plain:  # the lips follow the voice, the microphone hears the room
      heard = record(said.audio, sample_room(rng), rng)
      said = dataclasses.replace(said, audio=heard)
  return to_clip(f'{recipe.split}-{recipe.seed}-{index:06d}', seed, shots, said)


def to_clip(
  clip_id: str, seed: int, shots: Shots, said: speech.Speech | None = None
) -> schema.Clip:
  """Encodes shots, and what was said in them, with all their labels."""
  acted = shots.performance
  frames = len(shots.pictures)
  audio = np.zeros(frames * schema.SAMPLES_PER_FRAME, np.int16)
  phones = said.phones if said else ()
  if said:
    audio[: len(said.audio)] = np.round(said.audio.clip(-1, 1) * 32767)
  times = np.array([(p.start, p.end) for p in phones], np.float32).reshape(-1, 2)
  truth = schema.Truth(
    units=acted.units,
    eyes=acted.eyes,
    body=acted.body,
    viseme=acted.viseme.astype(np.int32),
    phones=tuple(p.name for p in phones),
    phone_times=times,
    text=said.text if said else '',
    voice=said.voice if said else '',
    language=said.language if said else '',
    identity_vector=shots.identity_vector,
    shape=shots.shape,
    points=shots.points,
    light=shots.light,
    camera=_as_json(shots.camera),
    style=_as_json(shots.style) if shots.style else '',
    worn=' '.join(shots.worn),
    seed=seed,
  )
  pose = np.concatenate([np.rad2deg(acted.pose[:, :3]), acted.pose[:, 4:]], 1)
  return schema.Clip(
    clip_id=clip_id,
    identity=f'rendered-{seed}',
    source=SOURCE,
    licence=LICENCE,
    frames=tuple(schema.encode_picture(picture) for picture in shots.pictures),
    audio=audio,
    pose=pose.astype(np.float32),
    gaze=acted.gaze,
    distance=acted.distance,
    emotion=acted.emotion,
    landmarks=shots.landmarks,
    visible=np.ones(frames, bool),
    truth=truth,
  )


def _as_json(record) -> str:
  """A flat dataclass as text, numbers to six digits."""

  def plain(value):
    if isinstance(value, str | bool) or value is None:
      return value
    rounded = np.round(np.asarray(value, float), 6).tolist()
    return rounded

  fields = dataclasses.asdict(record)
  return json.dumps({name: plain(value) for name, value in fields.items()})
