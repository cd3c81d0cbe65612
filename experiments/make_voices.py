"""Voices for `experiments.judge_portraits`, never trained on, with known phones.

    python -m experiments.make_voices --out DIR

DIR/ gets six recordings of about six seconds, the last second of each silent, and
beside each NAME.phones.json with what is said when: English by flite, German, Spanish
and Mandarin by espeak-ng, a song, and English over a telephone line with noise.
Speakers and sentences are those of the corpus's test split, which no training run
hears. The same seed gives the same files.
"""

import argparse
import io
import json
import sys
import wave
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from data_pipelines.errors import UserError
from data_pipelines.synthetic.speaking import singing, voices
from data_pipelines.synthetic.speaking.acoustics import Room, record
from data_pipelines.synthetic.speaking.phones import SILENCE
from data_pipelines.synthetic.speaking.speech import (
  SAMPLE_RATE,
  Speech,
  language_of,
  speak,
)
from experiments.command import run_command
from vasa_jax.files import refused, write_whole

SPOKEN = 5.0  # seconds that are wanted before the silence
SILENT = 1.0  # seconds after it
_TRIES = 6  # sentences differ in length; the best of so many is taken
# An old line: 300 to 3400 Hz, 8 bit, hiss that is heard but hides no syllable.
LINE = Room(
  np.ones(1), low=300.0, high=3400.0, noise='pink', noise_db=-25.0, bits=8, level=0.6
)


class Take(NamedTuple):
  """One of the recordings: who speaks, whether sung, and through what."""

  name: str
  voice: str
  sung: bool = False
  room: Room | None = None


TAKES = (
  Take('english', 'flite:awb'),
  Take('german', 'espeak:de+f5'),
  Take('spanish', 'espeak:es+john'),
  Take('mandarin', 'espeak:cmn-latn-pinyin+m6'),
  Take('sung', 'formant:s54', sung=True),
  Take('telephone', 'espeak:en-us+steph', room=LINE),
)


def main(argv: Sequence[str] | None = None) -> int:
  """Entry point; returns the exit code."""
  parser = argparse.ArgumentParser(
    prog='python -m experiments.make_voices',
    description=__doc__,
    formatter_class=argparse.RawDescriptionHelpFormatter,
  )
  parser.add_argument('--out', type=Path, required=True, help='folder of the voices')
  parser.add_argument('--seed', type=int, default=0, help='other texts')
  parser.add_argument('--debug', action='store_true', help='show tracebacks')
  arguments = parser.parse_args(argv)
  return run_command(lambda: make_voices(arguments), arguments.debug)


def make_voices(arguments: argparse.Namespace) -> int:
  """Writes what this machine can speak; the exit code.

  Raises:
    UserError: the folder cannot be written.
  """
  from experiments.evaluate import watched

  for number, take in enumerate(watched('voices', 'voice')(TAKES)):
    rng = np.random.default_rng((2, arguments.seed, number))
    try:
      said = recorded(take, rng)
    except UserError as error:  # a machine may lack a speech program
      print(f'left out {take.name}: {error}', file=sys.stderr)
      continue
    path = arguments.out / f'{take.name}.wav'
    about = {
      'text': said.text, 'voice': said.voice, 'language': said.language,
      'style': said.style, 'phones': [list(phone) for phone in said.phones],
    }  # fmt: skip
    try:
      text = json.dumps(about, ensure_ascii=False, indent=1)
      write_whole(path.with_suffix('.phones.json'), text)
      write_whole(path, wav_bytes(said.audio))
    except OSError as error:
      raise refused(path, error) from error
    print(f'{path}: {said.seconds:.1f} s, {said.voice}: {said.text}')
  return 0


def recorded(take: Take, rng: np.random.Generator) -> Speech:
  """What a take says, with `SILENT` seconds after it, through its room.

  Raises:
    UserError: the voice is not on this machine.
    ValueError: the voice is not of the test split.
  """
  if voices.split_of_voice(take.voice) != 'test':
    raise ValueError(f'{take.voice} is a voice of training')
  said = nearest(
    lambda: _sung(take.voice, rng) if take.sung else _spoken(take.voice, rng)
  )
  silent = np.zeros(round(SILENT * SAMPLE_RATE), np.float32)
  audio = np.concatenate([said.audio, silent])
  end = len(audio) / SAMPLE_RATE
  phones = list(said.phones)
  if phones[-1].name == SILENCE:
    phones[-1] = phones[-1]._replace(end=end)
  else:
    phones.append(phones[-1]._replace(name=SILENCE, start=phones[-1].end, end=end))
  if take.room is not None:
    audio = record(audio, take.room, rng)
  return Speech(audio, tuple(phones), said.text, said.voice, said.language, said.style)


def nearest(draw: Callable[[], Speech]) -> Speech:
  """Of several draws the one whose length is nearest to `SPOKEN`."""
  return min((draw() for _ in range(_TRIES)), key=lambda s: abs(s.seconds - SPOKEN))


def _spoken(voice: str, rng: np.random.Generator) -> Speech:
  """One sentence, or as many as it takes to come near `SPOKEN`."""
  text = voices.draw_text(rng, 'test', language_of(voice))
  said = speak(text, voice, rng)
  missing = round(SPOKEN / said.seconds) - 1
  if missing < 1:
    return said
  more = voices.draw_text(rng, 'test', language_of(voice), missing)
  return speak(f'{text} {more}', voice, rng)


def _sung(voice: str, rng: np.random.Generator) -> Speech:
  """Sung words; other kinds (held vowels, humming) ask little of lips."""
  while True:
    # Notes are long: of four sentences the shortest.
    texts = [voices.draw_text(rng, 'test', 'en') for _ in range(4)]
    text = min(texts, key=len)
    said = singing.sing(rng, voice, text)
    if said.style == 'singing' and said.text.startswith(text):
      return said


def wav_bytes(audio: np.ndarray) -> bytes:
  """`(n,)` in [-1, 1] at 16 kHz as the bytes of a 16-bit wav file."""
  out = io.BytesIO()
  with wave.open(out, 'wb') as file:
    file.setnchannels(1)
    file.setsampwidth(2)
    file.setframerate(SAMPLE_RATE)
    file.writeframes(np.clip(np.rint(audio * 32767), -32768, 32767).astype('<i2'))
  return out.getvalue()


if __name__ == '__main__':
  sys.exit(main())
