import difflib
import itertools

import numpy as np
import pytest

from data_pipelines.errors import UserError
from data_pipelines.synthetic.speaking import alignment, kokoro, phones, speech, voices

TEXTS = (
  'Put the big map above five thin sheets, please.',
  "The mayor's brother found a purple umbrella near the old bridge.",
)


def _voice():
  """A voice whose own phone times are true: flite's if it is here."""
  names = speech.available_voices()
  return next((v for v in ('flite:slt', 'espeak:en-us') if v in names), 'formant:man')


def test_words_of_a_text():
  assert alignment.words_of("Don't — it's Bob’s; \"Wow!\"") == [
    "don't", "it's", "bob's", 'wow',
  ]  # fmt: skip
  for text, message in (('Page 12.', 'digits'), ('¿?', 'no English words')):
    with pytest.raises(UserError, match=message):
      alignment.words_of(text)


def test_without_pocketsphinx_the_error_names_it(monkeypatch):
  alignment._decoder.cache_clear()
  monkeypatch.setattr(alignment, 'is_installed', lambda: False)
  with pytest.raises(UserError, match='pip install pocketsphinx'):
    alignment.align(np.zeros(16000), 'Hello.')
  alignment._decoder.cache_clear()


def _ends(found, said):
  """Ends of the phones that both know, in seconds: `(n, 2)`."""
  spoken = [[p for p in one if p.name != 'sil'] for one in (found, said)]
  names = [[{'ax': 'ah'}.get(p.name, p.name) for p in one] for one in spoken]
  match = difflib.SequenceMatcher(None, *names, autojunk=False)
  return np.array([
    (spoken[0][block.a + i].end, spoken[1][block.b + i].end)
    for block in match.get_matching_blocks()
    for i in range(block.size)
  ])  # fmt: skip


def test_aligned_phones_end_where_the_voice_says():
  if not alignment.is_installed():  # then there is no voice that needs it
    assert not any(v.startswith('kokoro') for v in speech.available_voices(None))
    return
  said = [speech.speak(t, _voice(), np.random.default_rng(0)) for t in TEXTS]
  found = [alignment.align(one.audio, one.text) for one in said]
  for one, phones_found in zip(said, found, strict=True):
    assert phones_found[0].start == 0
    assert phones_found[-1].end == pytest.approx(one.seconds)
    assert {p.name for p in phones_found} <= set(phones.PHONES)
    for a, b in itertools.pairwise(phones_found):
      assert a.end == b.start and a.start < a.end
    ends = _ends(phones_found, one.phones)
    assert len(ends) > 25
    assert np.median(np.abs(ends[:, 0] - ends[:, 1])) < 0.02
  # what was aligned in between leaves no trace
  assert alignment.align(said[0].audio, TEXTS[0]) == found[0]
  with pytest.raises(UserError, match='could not align'):
    alignment.align(np.zeros(1600), TEXTS[1])


def test_kokoro_reads_letters_of_its_own():
  clauses = [('həlˈoʊ', '"Hello,'), ('wˈɜːld', 'world')]
  assert kokoro.letters_of(clauses, 'en') == 'həlˈO, wˈɜɹld.'
  assert kokoro.letters_of([('tʃˈaːo', 'ciao!')], 'it') == 'ʧˈaːo!'
  assert kokoro.language_of('ja+jf_alpha') == 'ja'
  assert kokoro.accent_of('jf_alpha') == 'en-us'
  assert (voices.split_of_voice('kokoro:jm_kumo')) == 'train'


def test_a_protobuf_field_of_any_length():
  assert kokoro._field(12, b'abc') == b'\x62\x03abc'
  assert kokoro._field(7, bytes(300))[:3] == b'\x3a\xac\x02'


def natural_voices():
  """Kokoro in English and Spanish; where it is not installed, the built-in voice."""
  here = speech.available_voices(None)
  wanted = ('kokoro:jf_alpha', 'kokoro:es+jm_kumo')
  return [voice for voice in wanted if voice in here] or ['formant:man']


@pytest.mark.parametrize('voice', natural_voices())
def test_a_natural_voice_knows_when_it_says_what(voice):
  text = 'Papa, map.' if '+' not in voice else 'Papá, mapa.'
  said = speech.speak(text, voice, np.random.default_rng(0))
  names = [p.name for p in said.phones if p.name != 'sil']
  assert names[0] == 'p' and names[-2 if '+' not in voice else -1] in phones.VOWELS
  level = [
    np.sqrt(np.mean(said.audio[int(p.start * 16000) : int(p.end * 16000)] ** 2))
    for p in said.phones
  ]
  vowels = [
    x for x, p in zip(level, said.phones, strict=True) if p.name in phones.VOWELS
  ]
  ends = (level[0], level[-1])
  assert min(vowels) > 3 * max(ends)
