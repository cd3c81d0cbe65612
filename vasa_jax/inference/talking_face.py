"""A portrait and a voice become a talking video.

    portrait -> FaceCode, once
    sound -> features -> windows of motion -> batches of pictures -> mp4

Each arrow is a generator: an hour of speech needs as much memory as a second. Motion is
made ahead in a thread, pictures are computed while the last ones are encoded, and every
batch has the same size, so that each model is compiled once.
"""

import functools
import itertools
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import jax
import numpy as np

import vasa_jax
from vasa_jax.audio.hearing import Ear, hear
from vasa_jax.errors import UsageError, UserError
from vasa_jax.inference import models
from vasa_jax.inference.bundle import Bundle, load_bundle
from vasa_jax.inference.directing import controls as controls_lib
from vasa_jax.inference.directing import driving, feeling, stance
from vasa_jax.inference.directing.lids import closing_lids, following_lids
from vasa_jax.inference.finding.portrait import Portrait, find_portrait, load_picture
from vasa_jax.inference.media import provenance, video
from vasa_jax.inference.media.audio_file import AudioFile, Survey, digest
from vasa_jax.inference.prefetch import Prefetch
from vasa_jax.inference.programs import kept
from vasa_jax.inference.showing import paste, screen, viewport
from vasa_jax.types import FPS, Controls, FaceCode, Motion

BATCH = 8
MADE_UP = 0.1  # share of a video beyond its picture from which one sees it
Progress = Callable[[int, int], None]


class Talk(NamedTuple):
  """What `TalkingFace.talk` made.

  Attributes:
    path: of the video.
    frames: written.
    seconds: of the video.
    notes: lines for the user.
    provenance: the statement in the file.
  """

  path: Path
  frames: int
  seconds: float
  notes: tuple[str, ...]
  provenance: dict[str, Any]


class TalkingFace:
  """Both models, ready to use.

  Args:
    bundle: weights.
    batch: frames that are decoded at once.
    hears: the audio front end (`audio.hearing`); None is what the weights were trained
      with.
  """

  def __init__(self, bundle: Bundle, batch: int = BATCH, hears: str | None = None):
    self.bundle = bundle
    self.batch = batch
    self.hears = hears or bundle.hears
    self.face = models.FaceNet(bundle.face_config, bundle.face_params)

  @classmethod
  def load(
    cls, path: str | Path | None = None, batch: int = BATCH, hears: str | None = None
  ) -> 'TalkingFace':
    """Reads a weights folder; None is the one that ships with the package."""
    return cls(load_bundle(path), batch, hears)

  @functools.cached_property
  def ear(self) -> Ear:
    """The audio front end, loaded once."""
    return hear(self.hears)

  @functools.cached_property
  def generator(self):
    """The motion sampler; kept, so that a second video compiles nothing."""
    from vasa_jax.motion.generate import MotionGenerator

    config = self.bundle.motion_config
    jit = functools.partial(kept, about=('motion', config))
    return MotionGenerator(config, self.bundle.motion_params, jit)

  @property
  def size(self) -> int:
    """Side of the pictures that the face model makes, px."""
    return self.bundle.face_config.size

  def portrait(self, picture: str | Path | np.ndarray) -> Portrait:
    """Reads a picture file (or takes `(h, w, 3)` uint8) and cuts its face out."""
    if isinstance(picture, np.ndarray):
      return find_portrait(picture, self.size)
    return find_portrait(load_picture(picture), self.size, str(picture))

  def encode(self, portrait: Portrait | str | Path | np.ndarray) -> FaceCode:
    """Returns what does not move, once per portrait."""
    if not isinstance(portrait, Portrait):
      portrait = self.portrait(portrait)
    return self.face.encode(portrait)

  def motions(
    self,
    audio: AudioFile,
    survey: Survey,
    *,
    seed: int = 0,
    controls: Mapping[str, Any] | None = None,
    steps: int | None = None,
    guidance: Mapping[str, float | None] = MappingProxyType({}),
  ) -> Iterator[Motion]:
    """Yields the motion of a recording, `survey.frames` frames in all.

    Args:
      audio: the recording.
      survey: what `audio.survey()` found.
      seed: same seed, same motion.
      controls: `gaze`, `distance`, `emotion` as in `inference/directing/controls.py`.
      steps: of the sampler; None is the config's.
      guidance: lambdas of equation 2 by condition; what is not given is the config's.
    """
    ear, size = self.ear, self.bundle.motion_config.audio_dim
    if ear.dim != size:
      raise UserError(
        f'these weights listen to features of size {size}, {self.hears} makes '
        f'{ear.dim}; name what they were trained with (--features)'
      )
    arrays = controls_lib.to_arrays(controls or {}, survey.frames)
    mono = (chunk[:, 0] for chunk in audio.chunks())
    heard = ear.listen(mono, survey.gain)
    asked = {name: value for name, value in guidance.items() if value is not None}

    def made(heard: Iterator[np.ndarray], **emotion: np.ndarray) -> Iterator[Motion]:
      return self.generator.windows(
        heard,
        Controls(**{**arrays, **emotion}),
        jax.random.key(seed),
        steps=steps,
        **{f'guidance_{name}': value for name, value in asked.items()},
      )

    if 'emotion' not in arrays:
      return made(heard)
    strength, whole = feeling.parted(arrays['emotion'])
    if strength.min() == 1 or not strength.any():
      return made(heard, emotion=whole)
    calm, felt = itertools.tee(heard)
    return feeling.between(
      made(calm, emotion=feeling.CALM),
      made(felt, emotion=whole),
      strength,
      self.bundle.motion_config.anchored,
    )

  def frames(
    self,
    code: FaceCode,
    motions: Iterator[Motion],
    decode: Callable[[FaceCode, Motion], jax.Array] | None = None,
  ) -> Iterator[np.ndarray]:
    """Yields `(n, s, s, 3)` uint8 pictures of consecutive motions; n <= `batch`.

    The next batch is already being computed while the caller works on this one.

    Args:
      code: what does not move.
      motions: pieces of any length.
      decode: of a `screen.Screen`; None makes pictures of the model's own size.
    """
    waiting, decode = None, decode or self.face.decode
    for motion, count in _batches(motions, self.batch):
      started = decode(code, motion), count
      if waiting is not None:
        yield np.asarray(waiting[0])[: waiting[1]]
      waiting = started
    if waiting is not None:
      yield np.asarray(waiting[0])[: waiting[1]]

  def talk(
    self,
    portrait: str | Path,
    audio: str | Path,
    out: str | Path,
    *,
    seed: int = 0,
    size: int | None = None,
    steps: int | None = None,
    guidance_audio: float | None = None,
    guidance_gaze: float | None = None,
    guidance_distance: float | None = None,
    guidance_emotion: float | None = None,
    gaze: Any = None,
    distance: Any = None,
    emotion: Any = None,
    drive: str | Path | None = None,
    drive_parts: str = 'both',
    allow_silence: bool = False,
    paste_back: bool = False,
    progress: Progress | None = None,
  ) -> Talk:
    """Writes the talking video.

    Args:
      portrait: picture file with a face.
      audio: sound or video file with speech.
      out: path of the `.mp4`; replaced if it is there.
      seed: same inputs and seed, same video.
      size: side of the video in px; None is the model's own. A larger one shows the
        pixels of a larger crop where the model has a pixel path (`face/enlarge.py`). Of
        a close portrait the video shows a part of the crop (`showing/viewport.py`).
      steps, guidance_*: of the sampler; None is the config's.
      gaze, distance, emotion: controls, see `inference/directing/controls.py`. Without
        `distance` the head stays as far away as in the portrait (the paper takes the
        mean of the training set, which would zoom the picture).
      drive: what gives pose or dynamics in place of the model: a video of a face, a
        JSON file, or `portrait` (`inference/directing/driving.py`).
      drive_parts: `pose`, `dynamics` or `both`.
      allow_silence: let a silent recording pass.
      paste_back: the video shows the whole picture with the head moving in it
        (`inference/showing/paste.py`); `size` stays None then.
      progress: called with (frames done, frames in all).

    Raises:
      UserError: an input cannot be used or the video cannot be written; nothing is left
        behind then.
      UsageError: a setting is out of range.
    """
    asked = {'gaze': gaze, 'distance': distance, 'emotion': emotion}
    asked = {name: value for name, value in asked.items() if value is not None}
    screen.check(self.bundle.face_config, size, paste_back)
    out = video.check_output(out)
    if drive is not None:
      driving.check(drive, drive_parts)
    for given in (portrait, audio, drive or portrait):
      if out.exists() and Path(given).exists() and out.samefile(given):
        raise UsageError(f'{out}: is also an input; choose another name')
    face = self.portrait(portrait)
    if paste_back:
      face = paste.settled(face)
    sound = AudioFile(audio)
    survey = sound.survey(allow_silence)
    source = models.fit_source(self.bundle.face_config, face, str(portrait))
    wanted = {**source.defaults(), **asked}
    guidance = {
      'audio': guidance_audio,
      'gaze': guidance_gaze,
      'distance': guidance_distance,
      'emotion': guidance_emotion,
    }
    make = functools.partial(
      self.motions,
      sound,
      survey,
      seed=seed,
      controls=wanted,
      steps=steps,
      guidance=guidance,
    )
    driven = None
    if drive is not None:
      driven = driving.load_drive(
        drive, drive_parts, self.bundle, source.motion, survey.frames
      )
    if source.motion is not None and (driven is None or driven.z_pose is None):
      make = functools.partial(_held, source.motion, make)
    motions = make() if driven is None else driven.motions(make, survey.frames)
    if source.motion is not None and (driven is None or driven.z_dyn is None):
      motions = following_lids(source.motion, motions)  # filmed ones do already
    if source.vertices is not None:
      motions = closing_lids(source.vertices[0], motions)
    settings = {
      'size': None if paste_back else size or self.size,
      'paste_back': paste_back,
      'steps': steps,
      **{f'guidance_{name}': value for name, value in guidance.items()},
      'features': self.hears.partition(':')[0],  # no places of this machine
      'controls': asked,
    }
    if driven is not None:
      settings['drive'] = driven.about
    said = provenance.statement(
      version=vasa_jax.__version__,
      weights=f'{self.bundle.name} {self.bundle.digest}'.strip(),
      seed=seed,
      portrait_sha256=digest(portrait),
      audio_sha256=survey.sha256,
      settings=settings,
    )
    ahead = Prefetch(motions)  # Its thread compiles the sampler meanwhile.
    try:
      code = self.face.encode(face, source)
      part = viewport.WHOLE if paste_back else viewport.viewport(face)
      shown = screen.screen(self.face, face, code, self.batch, size, part, paste_back)
      self._write(code, shown, sound, survey, ahead, out, said, progress)
    finally:
      ahead.close()
    notes = (*face.notes, *source.notes, *(driven.notes if driven else ()))
    if screen.can_paste_back(self.bundle.face_config) and not paste_back:
      notes += _made_up(face, portrait, size)
    return Talk(out, survey.frames, survey.frames / FPS, notes, said)

  def _write(self, code, shown, sound, survey, motions, out, said, progress) -> None:
    """Runs the pipeline into the file."""
    rate = survey.rate if survey.rate in video.SOUND_RATES else 48_000
    channels = min(2, survey.channels)
    voice = sound.chunks(rate, channels, seconds=1.0)
    writer = video.VideoWriter(
      out,
      shown.size,
      sound_rate=rate,
      channels=channels,
      tags=provenance.to_tags(said),
    )
    try:
      with writer:
        for pictures in self.frames(code, motions, shown.decode):
          # Sound goes no more than a second ahead, so that neither track piles up.
          while writer.samples / rate < writer.frames / FPS + 1:
            chunk = next(voice, None)
            if chunk is None:
              break
            writer.write_sound(chunk)
          writer.write(shown.finish(pictures))
          if progress is not None:
            progress(writer.frames, survey.frames)
        for chunk in voice:
          writer.write_sound(chunk)
        if writer.frames != survey.frames:
          raise UserError(
            f'{sound.path}: changed while it was read ({writer.frames} frames instead '
            f'of {survey.frames}); run again'
          )
    finally:
      voice.close()


def _made_up(face: Portrait, name: str | Path, size: int | None) -> tuple[str, ...]:
  """A note for portraits that are closer than the closest video."""
  beyond = viewport.made_up(face)
  if beyond <= MADE_UP:
    return ()
  instead = '--paste-back' + (' instead of --size' if size else '')
  return (
    f'{name}: {beyond:.0%} of what the video shows lies outside the picture and is '
    f'made up; {instead} shows the picture alone',
  )


def _held(own: Motion, make: Callable[[], Iterator[Motion]]) -> Iterator[Motion]:
  return stance.held(own, make())


def _batches(motions: Iterator[Motion], size: int) -> Iterator[tuple[Motion, int]]:
  """Cuts windows of any length into (batch of exactly `size`, frames that count)."""
  held: Motion | None = None
  for window in motions:
    held = window if held is None else _join(held, window)
    while len(held.z_pose) >= size:
      yield jax.tree.map(lambda x: x[:size], held), size
      held = jax.tree.map(lambda x: x[size:], held)
  if held is not None and len(held.z_pose):
    count = len(held.z_pose)
    pad = size - count
    padded = jax.tree.map(lambda x: np.pad(x, ((0, pad), (0, 0)), mode='edge'), held)
    yield padded, count


def _join(a: Motion, b: Motion) -> Motion:
  return jax.tree.map(lambda x, y: np.concatenate([x, y]), a, b)
