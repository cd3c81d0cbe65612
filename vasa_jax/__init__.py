"""VASA-1 in JAX: a portrait and a voice become a talking video.

    import vasa_jax
    face = vasa_jax.load()
    face.talk('portrait.jpg', 'speech.wav', 'talk.mp4')

Nothing heavy is imported before it is used.
"""

__version__ = '0.3.0.dev0'

__all__ = ['TalkingFace', 'load']


def load(weights=None):
  """Returns a `TalkingFace` with the embedded weights, or with those in a folder."""
  from vasa_jax.inference.talking_face import TalkingFace

  return TalkingFace.load(weights)


def __getattr__(name: str):
  if name == 'TalkingFace':
    from vasa_jax.inference.talking_face import TalkingFace

    return TalkingFace
  raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
