"""Forced alignment: when each phone of a known English text is heard in a recording.

For voices and recordings that come without phone times. The acoustic model and the
pronouncing dictionary are those of the Python package `pocketsphinx` (BSD), which is
optional: hidden Markov models of context-dependent phones, aligned by Viterbi search,
first word by word and then phone by phone within the words found (10 ms steps).
"""

import functools
import importlib.util
import re

import numpy as np

from data_pipelines.errors import UserError
from data_pipelines.synthetic.speaking.phones import PHONES, SILENCE, Phone
from data_pipelines.synthetic.speaking.sentences import word_phones

SAMPLE_RATE = 16_000
# Seconds of near silence around and strength of its noise: without silence the second
# pass often fails; where it fails (one text of six), another length mostly helps.
_TRIES = ((0.2, 1e-4), (0.4, 1e-4), (0.3, 3e-4), (0.5, 1e-4), (0.25, 1e-3))
_PEAK = 0.7
_STEP = 0.01

# Names of our phones that the dictionary does not use.
_TO_CMU = {'ax': 'AH'}


def is_installed() -> bool:
  return importlib.util.find_spec('pocketsphinx') is not None


@functools.lru_cache(maxsize=1)
def _decoder():
  if not is_installed():
    raise UserError('aligning needs the package pocketsphinx: pip install pocketsphinx')
  import pocketsphinx

  return pocketsphinx.Decoder(lm=None, cmn='batch', loglevel='FATAL')


def words_of(text: str) -> list[str]:
  """Words of a text in lower case, as a pronouncing dictionary lists them.

  Raises:
    UserError: there are none, or some are written with digits.
  """
  if re.search(r'\d', text):
    raise UserError(f'cannot align digits; write {text[:40]!r} in words')
  words = re.findall(r"[a-z]+(?:'[a-z]+)*", text.lower().replace('’', "'"))
  if not words:
    raise UserError(f'cannot align {text[:40]!r}: it has no English words')
  return words


def _decode(decoder, sound: bytes) -> None:
  decoder.start_utt()
  decoder.process_raw(sound, full_utt=True)
  decoder.end_utt()


def align(audio: np.ndarray, text: str) -> tuple[Phone, ...]:
  """Times of the phones of a text.

  Args:
    audio: `(samples,)` mono sound in [-1, 1] at 16 kHz in which exactly the text is
      spoken, with pauses wherever.
    text: English without digits.

  Returns:
    Phones without gaps from 0 to the end of the sound; pauses are `sil`.

  Raises:
    UserError: pocketsphinx is missing, the text has digits or no words, or it is not
      what is heard.
  """
  words = words_of(text)
  audio = np.asarray(audio, np.float64)
  audio = audio * (_PEAK / max(float(np.abs(audio).max(initial=0.0)), 1e-3))
  for pad, hiss in _TRIES:
    padded = np.pad(audio, int(pad * SAMPLE_RATE))
    # a whisper of noise: frames of exact zeros have no spectrum
    padded += np.random.default_rng(0).normal(0, hiss, len(padded))
    sound = (padded.clip(-1, 1) * 32767).astype(np.int16).tobytes()
    found = _alignment(_decoder(), words, sound)
    if found:
      return _clean(found, pad, len(audio) / SAMPLE_RATE)
    _decoder.cache_clear()  # a search that failed may leave traces
  raise UserError(f'could not align {text[:40]!r}: it may not be what is said')


def _alignment(decoder, words: list[str], sound: bytes) -> list[Phone]:
  """Phones of both passes on the padded time axis, or none where the search failed."""
  for word in sorted(set(words)):
    if decoder.lookup_word(word) is None:
      names = [_TO_CMU.get(name, name.upper()) for name in word_phones(word)]
      decoder.add_word(word, ' '.join(names), True)
  try:
    decoder.set_align_text(' '.join(words))
    _decode(decoder, sound)
    if decoder.hyp() is None:
      return []
    decoder.set_alignment()
    _decode(decoder, sound)
    alignment = decoder.get_alignment()
  except RuntimeError:
    return []
  found: list[Phone] = []
  heard = []
  for word in alignment or ():
    if word.name[0] not in '<[+':  # not a pause or a noise
      heard.append(word.name.split('(')[0])  # without the number of a variant
    for phone in word:
      name = phone.name.lower()
      name = name if name in PHONES else SILENCE
      start = phone.start * _STEP
      found.append(Phone(name, start, start + phone.duration * _STEP))
  # a search that ends early leaves words out
  return found if heard == words else []


def _clean(found: list[Phone], pad: float, seconds: float) -> tuple[Phone, ...]:
  """Without the padding, in order and without gaps; neighbouring pauses are one."""
  phones: list[Phone] = []
  now = 0.0
  for i, (name, _, end) in enumerate(found):
    end = seconds if i + 1 == len(found) else min(max(end - pad, 0.0), seconds)
    if end <= now + 1e-9:
      continue
    if phones and phones[-1].name == name == SILENCE:
      phones[-1] = phones[-1]._replace(end=end)
    else:
      phones.append(Phone(name, now, end))
    now = end
  return tuple(phones)
