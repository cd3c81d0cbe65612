"""Speech with phone times, from whatever speech program the machine has.

A voice is named `program:speaker` or `program:accent+speaker`. `flite` and `espeak` are
used where installed (Debian packages `flite` and `espeak-ng`, or the Python package
`espeakng-loader`), `kokoro`, the most natural one, where its packages are (see
`kokoro.py`); `formant` needs numpy alone, so that every machine can make a corpus.
Sound and times depend on the text, the voice and the generator's state, never on what
was spoken before. Which voice belongs to which split says `voices.py`.
"""

import ctypes.util
import dataclasses
import functools
import importlib.util
import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import wave
from collections.abc import Sequence

import numpy as np

from data_pipelines.errors import UserError
from data_pipelines.synthetic.speaking import alignment, formant, kokoro
from data_pipelines.synthetic.speaking.phones import (
  SILENCE,
  Phone,
  from_flite,
  from_ipa,
)

SAMPLE_RATE = 16_000

FLITE_VOICES = ('awb', 'kal16', 'rms', 'slt')
# Accents of espeak-ng by language, and its throats: file names of both distributions.
ESPEAK_ACCENTS = {
  'cmn': ('cmn-latn-pinyin',), 'de': ('de',),
  'en': (
    'en', 'en-029', 'en-gb-scotland', 'en-gb-x-gbclan', 'en-gb-x-gbcwmd', 'en-gb-x-rp',
    'en-us', 'en-us-nyc',
  ),
  'es': ('es', 'es-419'), 'fr': ('fr', 'fr-be', 'fr-ch'), 'hi': ('hi',), 'it': ('it',),
  'ja': ('ja',), 'nl': ('nl',), 'pl': ('pl',), 'pt': ('pt', 'pt-br'), 'ru': ('ru',),
  'tr': ('tr',),
}  # fmt: skip
ESPEAK_SPEAKERS = (
  'f1', 'f2', 'f3', 'f4', 'f5', 'm1', 'm2', 'm3', 'm4', 'm5', 'm6', 'm7', 'm8',
  'Alex', 'Alicia', 'Andrea', 'Andy', 'Annie', 'Denis', 'Diogo', 'Gene', 'Henrique',
  'Hugo', 'Jacky', 'Lee', 'Marco', 'Michael', 'Mike', 'adam', 'anika', 'antonio',
  'aunty', 'belinda', 'benjamin', 'boris', 'caleb', 'david', 'ed', 'edward', 'grandma',
  'grandpa', 'gustave', 'john', 'linda', 'marcelo', 'max', 'michel', 'miguel',
  'norbert', 'pablo', 'paul', 'pedro', 'quincy', 'rob', 'robert', 'sandro', 'shelby',
  'steph', 'travis', 'victor', 'zac',
)  # fmt: skip
# A pause shorter than this, in seconds, is the closure of a stop or a seam.
_BRIEF = 0.06
_STOPS = ('b', 'ch', 'd', 'g', 'jh', 'k', 'p', 't')
_FLITE_PITCH = {'awb': 130.0, 'kal16': 105.0, 'rms': 105.0, 'slt': 180.0}


@dataclasses.dataclass(frozen=True)
class Speech:
  """An utterance.

  Attributes:
    audio: `(samples,)` float32 in [-1, 1], mono, 16 kHz.
    phones: what is said when; seconds, in order, without gaps from 0 to the end.
    text: the sentence.
    voice: `program:voice`.
    language: code of `languages.LANGUAGES`.
    style: speech, singing or humming.
  """

  audio: np.ndarray
  phones: tuple[Phone, ...]
  text: str
  voice: str
  language: str = 'en'
  style: str = 'speech'

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
def _all_voices() -> dict[str, str]:
  """Every voice this machine can speak with, and the language it speaks."""
  voices = {f'formant:{name}': 'en' for name in formant.VOICES}
  if shutil.which('flite'):
    voices |= {f'flite:{name}': 'en' for name in FLITE_VOICES}
  if _espeak_library():
    for language, accents in ESPEAK_ACCENTS.items():
      for accent in accents:
        voices[f'espeak:{accent}'] = language
        voices |= {f'espeak:{accent}+{who}': language for who in ESPEAK_SPEAKERS}
    if kokoro.is_installed() and alignment.is_installed():
      voices |= {f'kokoro:{name}': kokoro.language_of(name) for name in kokoro.VOICES}
  return dict(sorted(voices.items()))


def available_voices(language: str | None = 'en') -> tuple[str, ...]:
  """Voices of this machine that speak a language (None: any), sorted.

  Never empty for English: the formant voice is built in.
  """
  found = _all_voices().items()
  return tuple(v for v, code in found if language is None or code == language)


def language_of(voice: str) -> str:
  """Code of the language a voice speaks; English where it is not one of the lists."""
  known = _all_voices().get(voice)
  if known is None:
    accent = voice.partition(':')[2].partition('+')[0]
    known = accent.split('-')[0]
    known = known if known in ESPEAK_ACCENTS else 'en'
  return known


def check_voices(voices: Sequence[str], language: str | None = 'en') -> tuple[str, ...]:
  """The voices asked for; a program's name alone (`flite`) stands for all its voices.

  Args:
    voices: names.
    language: of the voices that a program's name stands for; None is all.

  Raises:
    UserError: a voice is unknown or its program is not installed.
  """
  found: list[str] = []
  everything = _all_voices()
  for voice in voices:
    matches = [
      v
      for v, code in everything.items()
      if v == voice
      or (v.split(':')[0] == voice and (language is None or code == language))
    ]
    program, _, name = voice.partition(':')
    # espeak-ng has many more; whether it knows the name shows when it speaks
    if not matches and program == 'espeak' and name and _espeak_library():
      matches = [voice]
    if not matches:
      programs = sorted({v.split(':')[0] for v in everything})
      same = [v for v in everything if v.split(':')[0] == program]
      some = ', '.join(same[:8] or [f'{program}:...' for program in programs])
      raise UserError(
        f'no voice {voice!r} on this machine; there are {some}'
        ' (install flite or espeak-ng for more)'
      )
    found += matches
  return tuple(dict.fromkeys(found))


def speak(text: str, voice: str, rng: np.random.Generator) -> Speech:
  """Says a text.

  Args:
    text: one or a few sentences in the voice's language.
    voice: one of `available_voices(None)`.
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
  language = language_of(voice)
  tempo = float(rng.uniform(0.85, 1.2))
  lift = float(np.exp(rng.normal(0.0, 0.12)))  # pitch factor
  if program == 'flite':
    audio, phones = _flite(text, name, tempo, lift)
  elif program == 'espeak':
    liveliness = float(rng.uniform(30, 70))
    audio, phones = _espeak(text, name, language, tempo, lift, liveliness)
  elif program == 'kokoro':
    audio, phones = _kokoro(text, name, tempo)
  else:
    audio, phones = formant.synthesize(text, name, tempo, lift, rng)
  return finish(audio, phones, rng, text=text, voice=voice, language=language)


def finish(
  audio: np.ndarray, phones: Sequence[Phone], rng: np.random.Generator, **about: str
) -> Speech:
  """A `Speech` of any loudness and silence around it, so that a mouth also rests.

  Args:
    audio: `(samples,)` sound at 16 kHz.
    phones: in order; gaps become silence.
    rng: draws loudness (peak 0.25..0.85) and silence (0..0.3 s at both ends).
    about: text, voice, language, style of the speech.
  """
  peak = float(np.abs(audio).max(initial=1e-6))
  audio = audio * (rng.uniform(0.25, 0.85) / peak)
  lead, tail = (int(rng.uniform(0.0, 0.3) * SAMPLE_RATE) for _ in range(2))
  late = lead / SAMPLE_RATE
  phones = [Phone(p.name, p.start + late, p.end + late) for p in phones]
  audio = np.pad(audio, (lead, tail)).astype(np.float32)
  return Speech(audio, _tile(phones, len(audio)), **about)


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


def _ask_espeak(what: str, **ask) -> subprocess.CompletedProcess:
  """espeak-ng in its own process, see `espeak.py`."""
  library, data = _espeak_library()
  program = pathlib.Path(__file__).with_name('espeak.py')
  command = [sys.executable, '-I', '-S', str(program)]
  ask = {'library': library, 'data': data, **ask}
  result = _run(command, input=json.dumps(ask).encode())
  if result.returncode:
    raise UserError(f'espeak-ng could not {what} with voice {ask["voice"]!r}')
  return result


def _espeak(text, name, language, tempo, lift, liveliness):
  """Sound and phones of espeak-ng; its events mark where phones start."""
  result = _ask_espeak(
    'speak', text=text, voice=name, rate=round(165 * tempo), range=round(liveliness),
    pitch=round(float(np.clip(50 + 60 * np.log(lift), 10, 90))),
  )  # fmt: skip
  header, _, sound = result.stdout.partition(b'\n')
  said = json.loads(header)
  audio = np.frombuffer(sound, np.int16) / 32768.0
  if not len(audio) or not said['events']:
    raise UserError(f'espeak-ng said nothing of {text[:40]!r} with voice {name!r}')
  phones = []
  starts = [t / 1000.0 for t, _ in said['events']] + [len(audio) / said['rate']]
  names = [from_ipa(symbol, language) for _, symbol in said['events']]
  for i, sounds in enumerate(names):
    start, end = starts[i], starts[i + 1]
    if sounds == (SILENCE,) and phones:
      part = audio[int(start * said['rate']) : int(end * said['rate'])]
      loud = float(np.sqrt(np.mean(part**2))) if len(part) else 0.0
      if loud > 0.01:  # an event without a name that sounds: vowels are linked
        phones[-1] = phones[-1]._replace(end=end)
        continue
      if end - start < _BRIEF:  # too short to rest: the mouth waits in its place
        if i + 1 < len(names) and names[i + 1][0] in _STOPS:
          starts[i + 1] = start
        else:
          phones[-1] = phones[-1]._replace(end=end)
        continue
    edges = np.linspace(start, end, len(sounds) + 1).tolist()
    phones += [Phone(n, edges[k], edges[k + 1]) for k, n in enumerate(sounds)]
  return _resample(audio, said['rate']), phones


def _kokoro(text, name, tempo):
  """A neural voice reads what espeak-ng makes of the text."""
  accent = kokoro.accent_of(name)
  clauses = [part for part in re.split(r'(?<=[.,;:!?…।])\s+', text) if part.strip()]
  result = _ask_espeak('read', voice=accent, clauses=clauses)
  spoken = zip(json.loads(result.stdout), clauses, strict=True)
  said = kokoro.synthesize(list(spoken), name, tempo)
  audio = _resample(said.audio, kokoro.SAMPLE_RATE)
  if kokoro.language_of(name) == 'en':
    try:
      return audio, list(alignment.align(audio, text))
    except UserError:  # about one text of thirty: the voice's own plan is good enough
      pass
  return audio, list(said.phones)
