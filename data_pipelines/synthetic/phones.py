"""One phone alphabet for every speech backend: ARPAbet in lower case, without stress.

`flite` speaks a dialect of it already; `espeak-ng` reports IPA. Both are folded into
the same 41 names, so that lips (`visemes.py`) and labels know only one alphabet.
"""

import unicodedata
from typing import NamedTuple

SILENCE = 'sil'
VOWELS = (
  'aa', 'ae', 'ah', 'ao', 'aw', 'ax', 'ay', 'eh', 'er', 'ey', 'ih', 'iy', 'ow', 'oy',
  'uh', 'uw',
)  # fmt: skip
CONSONANTS = (
  'b', 'ch', 'd', 'dh', 'f', 'g', 'hh', 'jh', 'k', 'l', 'm', 'n', 'ng', 'p', 'r', 's',
  'sh', 't', 'th', 'v', 'w', 'y', 'z', 'zh',
)  # fmt: skip
PHONES = (SILENCE, *VOWELS, *CONSONANTS)


class Phone(NamedTuple):
  """A phone and its time: `name` in `PHONES`, `start` and `end` in seconds."""

  name: str
  start: float
  end: float


_FLITE = {
  'pau': 'sil', 'h#': 'sil', '#': 'sil', 'ssil': 'sil', 'brth': 'sil', 'dx': 'd',
  'nx': 'n', 'el': 'l', 'en': 'n', 'em': 'm', 'hv': 'hh', 'axr': 'er', 'ix': 'ih',
  'ux': 'uw', 'h': 'hh', 'hw': 'w',
}  # fmt: skip

# IPA as espeak-ng writes it for its English voices. Two-letter keys are listed so that
# a diphthong is one phone; what is not listed is split into its letters.
_IPA = {
  'tʃ': 'ch', 'dʒ': 'jh', 'eɪ': 'ey', 'aɪ': 'ay', 'aʊ': 'aw', 'ɔɪ': 'oy', 'oʊ': 'ow',
  'əʊ': 'ow', 'ɜː': 'er', 'ɑː': 'aa', 'ɔː': 'ao', 'oː': 'ao', 'iː': 'iy', 'uː': 'uw',
  'əl': 'l', 'ɚ': 'er', 'ɝ': 'er', 'ɜ': 'er', 'ɑ': 'aa', 'a': 'aa', 'æ': 'ae',
  'ʌ': 'ah', 'ɐ': 'ax', 'ə': 'ax', 'ɔ': 'ao', 'ɒ': 'ao', 'o': 'ow', 'ɛ': 'eh',
  'e': 'eh', 'ɪ': 'ih', 'ᵻ': 'ih', 'i': 'iy', 'ʊ': 'uh', 'u': 'uw', 'ʉ': 'uw',
  'p': 'p', 'b': 'b', 't': 't', 'd': 'd', 'k': 'k', 'ɡ': 'g', 'g': 'g', 'm': 'm',
  'n': 'n', 'ŋ': 'ng', 'f': 'f', 'v': 'v', 'θ': 'th', 'ð': 'dh', 's': 's', 'z': 'z',
  'ʃ': 'sh', 'ʒ': 'zh', 'h': 'hh', 'x': 'hh', 'ç': 'hh', 'ʔ': 'hh', 'l': 'l',
  'ɫ': 'l', 'ɬ': 'l', 'ɹ': 'r', 'r': 'r', 'ʁ': 'r', 'ɾ': 'd', 'w': 'w', 'ʍ': 'w',
  'j': 'y', 'y': 'uw', 'ø': 'er', 'œ': 'er', 'ɲ': 'n', 'β': 'v', 'ɣ': 'g', 'ʎ': 'l',
}  # fmt: skip


def from_flite(name: str) -> str:
  """The phone behind one of flite's names; an unknown name is a schwa."""
  name = name.lower()
  name = _FLITE.get(name, name)
  return name if name in PHONES else 'ax'


def from_ipa(symbol: str) -> tuple[str, ...]:
  """The phones of one espeak-ng phoneme event, in order.

  An empty symbol is a pause. A triphthong such as `aɪɚ` gives several phones; marks
  (stress, length, syllabicity) that carry no lip shape are dropped.
  """
  text = unicodedata.normalize('NFD', symbol)
  text = ''.join(c for c in text if not unicodedata.combining(c) or c == '̧')
  text = unicodedata.normalize('NFC', text).strip('ˈˌ_|; ')
  phones = []
  while text:
    for length in (2, 1):
      if text[:length] in _IPA and len(text) >= length:
        phones.append(_IPA[text[:length]])
        break
    text = text[length:]
  return tuple(phones) or (SILENCE,)
