"""Speech with phone times, from whatever speech program the machine has.

A voice is named `program:voice`. `flite` and `espeak` are used where installed (Debian
packages `flite` and `espeak-ng`, or the Python package `espeakng-loader`); `formant`
needs numpy alone, so that every machine can make a corpus. Sound and times depend on
the text, the voice and the generator's state, never on what was spoken before.
"""

import ctypes.util
import dataclasses
import functools
import importlib.util
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile
import wave

import numpy as np

from data_pipelines.errors import UserError
from data_pipelines.synthetic import formant
from data_pipelines.synthetic.phones import SILENCE, Phone, from_flite, from_ipa

SAMPLE_RATE = 16_000

FLITE_VOICES = ('awb', 'kal16', 'rms', 'slt')
# Accent and throat of espeak-ng; the variants are files of both distributions.
ESPEAK_VOICES = (
  'en', 'en+f2', 'en+m3', 'en-029+m1', 'en-us', 'en-us+f1', 'en-us+f3', 'en-us+f4',
  'en-us+m3', 'en-us+m4', 'en-us+m7',
)  # fmt: skip
_FLITE_PITCH = {'awb': 130.0, 'kal16': 105.0, 'rms': 105.0, 'slt': 180.0}


@dataclasses.dataclass(frozen=True)
class Speech:
  """An utterance.

  Attributes:
    audio: `(samples,)` float32 in [-1, 1], mono, 16 kHz.
    phones: what is said when; seconds, in order, without gaps from 0 to the end.
    text: the sentence.
    voice: `program:voice`.
  """

  audio: np.ndarray
  phones: tuple[Phone, ...]
  text: str
  voice: str

  @property
  def seconds(self) -> float:
    return len(self.audio) / SAMPLE_RATE


@functools.lru_cache(maxsize=1)
def _espeak_library() -> tuple[str, str] | None:
  """Path of the espeak-ng library and of its data ('' = its own), or None."""
  if importlib.util.find_spec('espeakng_loader') is not None:
    import espeakng_loader

    return str(espeakng_loader.get_library_path()), str(espeakng_loader.get_data_path())
  name = ctypes.util.find_library('espeak-ng')
  return (name, '') if name else None


@functools.lru_cache(maxsize=1)
def available_voices() -> tuple[str, ...]:
  """Every voice this machine can speak with, sorted; never empty."""
  voices = [f'formant:{name}' for name in formant.VOICES]
  if shutil.which('flite'):
    voices += [f'flite:{name}' for name in FLITE_VOICES]
  if _espeak_library():
    voices += [f'espeak:{name}' for name in ESPEAK_VOICES]
  return tuple(sorted(voices))


def check_voices(voices: tuple[str, ...]) -> tuple[str, ...]:
  """The voices asked for; a program's name alone (`flite`) stands for all its voices.

  Raises:
    UserError: a voice is unknown or its program is not installed.
  """
  found = []
  for voice in voices:
    matches = [v for v in available_voices() if v == voice or v.split(':')[0] == voice]
    program, _, name = voice.partition(':')
    # espeak-ng has over a hundred more; whether it knows the name shows when it speaks
    if not matches and program == 'espeak' and name and _espeak_library():
      matches = [voice]
    if not matches:
      raise UserError(
        f'no voice {voice!r} on this machine; there are {", ".join(available_voices())}'
        ' (install flite or espeak-ng for more)'
      )
    found += matches
  return tuple(found)


def speak(text: str, voice: str, rng: np.random.Generator) -> Speech:
  """Says a text.

  Args:
    text: English, one or a few sentences.
    voice: one of `available_voices()`.
    rng: draws speed (0.85..1.2), pitch and loudness.

  Raises:
    UserError: the voice is not on this machine, or its program failed.
  """
  if not text.strip():
    raise UserError('nothing to say: the text is empty')
  (voice,) = check_voices((voice,)) if ':' in voice else ('',)
  if not voice:
    raise UserError('name one voice, such as formant:man or flite:slt')
  program, name = voice.split(':', 1)
  tempo = float(rng.uniform(0.85, 1.2))
  lift = float(np.exp(rng.normal(0.0, 0.12)))  # pitch factor
  if program == 'flite':
    audio, phones = _flite(text, name, tempo, lift)
  elif program == 'espeak':
    audio, phones = _espeak(text, name, tempo, lift, float(rng.uniform(30, 70)))
  else:
    audio, phones = formant.synthesize(text, name, tempo, lift, rng)
  peak = float(np.abs(audio).max(initial=1e-6))
  audio = audio * (rng.uniform(0.25, 0.85) / peak)
  # Some silence around, so that a clip also shows a mouth at rest.
  lead, tail = (int(rng.uniform(0.0, 0.3) * SAMPLE_RATE) for _ in range(2))
  late = lead / SAMPLE_RATE
  phones = [Phone(p.name, p.start + late, p.end + late) for p in phones]
  audio = np.pad(audio, (lead, tail)).astype(np.float32)
  return Speech(audio, _tile(phones, len(audio)), text, voice)


def trim(speech: Speech, samples: int) -> Speech:
  """The first `samples` of a speech, faded out over 20 ms; phones are cut alike."""
  if samples >= len(speech.audio):
    return speech
  audio = speech.audio[:samples].copy()
  fade = min(320, samples)
  audio[samples - fade :] *= np.linspace(1, 0, fade, dtype=np.float32)
  return dataclasses.replace(
    speech, audio=audio, phones=_tile(speech.phones, len(audio))
  )


def _tile(phones, samples: int) -> tuple[Phone, ...]:
  """Phones without gaps or overlaps that cover exactly `samples`; pauses are joined."""
  total = samples / SAMPLE_RATE
  tiled: list[Phone] = []
  now = 0.0
  for name, start, end in phones:
    start, end = max(start, now), min(end, total)
    if start > now + 1e-6 and start <= total:
      tiled.append(Phone(SILENCE, now, start))
      now = start
    if end > now + 1e-6:
      tiled.append(Phone(name, now, end))
      now = end
  if now < total - 1e-6:
    tiled.append(Phone(SILENCE, now, total))
  joined: list[Phone] = []
  for phone in tiled:
    if joined and phone.name == SILENCE == joined[-1].name:
      joined[-1] = Phone(SILENCE, joined[-1].start, phone.end)
    else:
      joined.append(phone)
  return tuple(joined)


def _resample(audio: np.ndarray, rate: int) -> np.ndarray:
  if rate == SAMPLE_RATE:
    return audio
  from scipy.signal import resample_poly

  shared = int(np.gcd(rate, SAMPLE_RATE))
  return resample_poly(audio, SAMPLE_RATE // shared, rate // shared)


def _run(command: list[str], **options) -> subprocess.CompletedProcess:
  try:
    return subprocess.run(command, capture_output=True, timeout=120, **options)
  except (OSError, subprocess.TimeoutExpired) as error:
    raise UserError(f'{command[0]} could not speak: {error}') from error


def _flite(text, name, tempo, lift):
  """flite prints each phone with its end time in seconds (`-psdur`)."""
  with tempfile.TemporaryDirectory(prefix='speech') as folder:
    path = pathlib.Path(folder, 'said.wav')
    result = _run([
      'flite', '-voice', name, '-psdur',
      '--setf', f'duration_stretch={1.0 / tempo:.4f}',
      '--setf', f'int_f0_target_mean={_FLITE_PITCH[name] * lift:.2f}',
      '-t', text, '-o', str(path),
    ])  # fmt: skip
    if result.returncode or not path.is_file():
      raise UserError(f'flite could not say {text[:40]!r} with voice {name}')
    with wave.open(str(path)) as file:
      rate = file.getframerate()
      audio = np.frombuffer(file.readframes(file.getnframes()), np.int16) / 32768.0
  phones, now = [], 0.0
  for item in result.stdout.decode('utf8', 'replace').split():
    phone, _, end = item.rpartition(':')
    phones.append(Phone(from_flite(phone), now, float(end)))
    now = float(end)
  return _resample(audio, rate), phones


def _espeak(text, name, tempo, lift, liveliness):
  """espeak-ng in its own process (see `espeak.py`); events mark where phones start."""
  library, data = _espeak_library()
  ask = {
    'library': library, 'data': data, 'text': text, 'voice': name,
    'rate': round(165 * tempo), 'range': round(liveliness),
    'pitch': round(float(np.clip(50 + 60 * np.log(lift), 10, 90))),
  }  # fmt: skip
  program = pathlib.Path(__file__).with_name('espeak.py')
  command = [sys.executable, '-I', '-S', str(program)]
  result = _run(command, input=json.dumps(ask).encode())
  if result.returncode:
    raise UserError(f'espeak-ng could not speak with voice {name!r}')
  header, _, sound = result.stdout.partition(b'\n')
  said = json.loads(header)
  audio = np.frombuffer(sound, np.int16) / 32768.0
  phones = []
  starts = [t / 1000.0 for t, _ in said['events']] + [len(audio) / said['rate']]
  for i, (_, symbol) in enumerate(said['events']):
    names = from_ipa(symbol)
    part = audio[int(starts[i] * said['rate']) : int(starts[i + 1] * said['rate'])]
    loud = float(np.sqrt(np.mean(part**2))) if len(part) else 0.0
    if names == (SILENCE,) and phones and loud > 0.01:
      # an event without a name that sounds: the voice links two vowels
      phones[-1] = phones[-1]._replace(end=starts[i + 1])
      continue
    edges = np.linspace(starts[i], starts[i + 1], len(names) + 1)
    phones += [Phone(n, edges[k], edges[k + 1]) for k, n in enumerate(names)]
  return _resample(audio, said['rate']), phones
