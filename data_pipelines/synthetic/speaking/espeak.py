"""espeak-ng behind a pipe: text in, sound and phonemes out (standard library).

Run as a program in a fresh process, `python espeak.py`, with one JSON object on stdin:
`{"library", "data", "text", "voice", "rate", "pitch", "range"}`. It writes one line of
JSON (`rate`, `events` as [milliseconds, IPA]) and then raw int16 samples. Asked with
`{"library", "data", "voice", "clauses"}` it only writes the IPA of every clause. A
fresh process because the library keeps state: the same sentence said twice in one
process differs in length by samples, and a corpus must be the same whoever renders
which clip.
"""

import ctypes
import json
import sys

_PHONEME_EVENT = 7
_RATE, _PITCH, _RANGE = 1, 3, 4


class _Id(ctypes.Union):
  _fields_ = (
    ('number', ctypes.c_int),
    ('name', ctypes.c_char_p),
    ('string', ctypes.c_char * 8),
  )


class _Event(ctypes.Structure):
  _fields_ = (
    ('type', ctypes.c_int),
    ('unique', ctypes.c_uint),
    ('text_position', ctypes.c_int),
    ('length', ctypes.c_int),
    ('audio_position', ctypes.c_int),
    ('sample', ctypes.c_int),
    ('user', ctypes.c_void_p),
    ('id', _Id),
  )


def _read(library: ctypes.CDLL, text: str) -> str:
  """IPA of a text with stress marks, words parted by blanks."""
  place = ctypes.c_char_p(text.encode())
  parts = []
  while place.value is not None:
    # 1 = the text is UTF-8; 2 = answer in IPA
    parts.append(library.espeak_TextToPhonemes(ctypes.byref(place), 1, 2).decode())
  return ' '.join(' '.join(parts).split())


def main() -> int:
  ask = json.load(sys.stdin)
  library = ctypes.CDLL(ask['library'])
  data = ask['data'].encode() if ask['data'] else None
  # 2 = synchronous to the callback; 3 = phoneme events, named in IPA
  rate = library.espeak_Initialize(2, 200, data, 3)
  if rate <= 0 or library.espeak_SetVoiceByName(ask['voice'].encode()):
    return 3
  if 'clauses' in ask:
    library.espeak_TextToPhonemes.restype = ctypes.c_char_p
    json.dump([_read(library, clause) for clause in ask['clauses']], sys.stdout)
    return 0
  sound, events = bytearray(), []
  callback_type = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.c_void_p, ctypes.c_int, ctypes.POINTER(_Event)
  )

  @callback_type
  def collect(samples, count, event):
    if samples and count > 0:
      sound.extend(ctypes.string_at(samples, 2 * count))
    i = 0
    while event[i].type != 0:
      if event[i].type == _PHONEME_EVENT:
        name = event[i].id.string.decode('utf8', 'ignore')
        events.append((event[i].audio_position, name))
      i += 1
    return 0

  library.espeak_SetSynthCallback(collect)
  for parameter, name in ((_RATE, 'rate'), (_PITCH, 'pitch'), (_RANGE, 'range')):
    library.espeak_SetParameter(parameter, int(ask[name]), 0)
  text = ask['text'].encode()
  library.espeak_Synth(text, len(text) + 1, 0, 0, 0, 1, None, None)
  library.espeak_Synchronize()
  header = json.dumps({'rate': rate, 'events': events})
  sys.stdout.buffer.write(header.encode() + b'\n' + bytes(sound))
  return 0


if __name__ == '__main__':
  sys.exit(main())
