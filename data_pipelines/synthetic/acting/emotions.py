"""Faces of the basic emotions, in the 52 face units.

Each emotion is shown in a few variants, because people differ: prototypes of the facial
action coding system (which muscles belong to which emotion), with amounts searched on
rendered people until an independent net reads them right, within 1.4 and without
creasing the skin. `experiments/judge_corpus.py --only emotion` measures them on other
people.
"""

import numpy as np

from data_pipelines.synthetic.acting.visemes import unit_vector

EMOTIONS = (
  'anger', 'contempt', 'disgust', 'fear', 'happiness', 'neutral', 'sadness', 'surprise',
)  # fmt: skip

# Full-strength faces; clips show them at 0.3 to 0.8. The first is the usual one.
_VARIANTS = {
  'anger': (
    # Brows down and bared teeth, staring; squinting; lips pressed.
    unit_vector(
      browDown=1.4, noseSneer=0.9, eyeWide=0.5, mouthUpperUp=0.6, mouthLowerDown=0.7,
      mouthStretch=0.5, jawOpen=0.2,
    ),
    unit_vector(
      browDown=1.4, noseSneer=1.2, eyeSquint=0.3, mouthUpperUp=0.9, mouthLowerDown=0.5,
      mouthStretch=0.4, jawOpen=0.35,
    ),
    unit_vector(
      browDown=1.4, noseSneer=1.0, eyeWide=0.5, mouthPress=0.5, mouthUpperUp=0.4,
      mouthFrown=0.4,
    ),
  ),
  'contempt': (
    unit_vector(
      mouthSmileLeft=0.9, mouthDimpleLeft=0.9, cheekSquintLeft=0.4, eyeSquint=0.35,
      browOuterUpRight=0.5, mouthPressLeft=0.4,
    ),
    unit_vector(
      mouthSmileRight=0.9, mouthDimpleRight=0.9, cheekSquintRight=0.4, eyeSquint=0.35,
      browOuterUpLeft=0.5, mouthPressRight=0.4,
    ),
  ),
  'disgust': (
    # Nose wrinkled, lip up, eyes nearly shut, chin raised; the last with the cheeks.
    unit_vector(
      noseSneer=1.3, mouthUpperUp=1.3, browDown=0.5, eyeBlink=0.5, mouthShrugLower=1.0,
      mouthFrown=0.5,
    ),
    unit_vector(
      noseSneer=1.4, mouthUpperUp=1.3, browDown=0.4, eyeBlink=0.6, mouthShrugLower=1.2,
      mouthFrown=1.0, mouthRollLower=0.3,
    ),
    unit_vector(
      noseSneer=1.4, mouthUpperUp=1.4, browDown=0.3, eyeBlink=0.5, mouthShrugLower=0.6,
      mouthFrown=0.3, cheekSquint=0.5, mouthDimple=0.4,
    ),
  ),
  'fear': (
    # Brows up and together, eyes wide, lips drawn back.
    unit_vector(
      browInnerUp=1.4, browOuterUp=0.2, browDown=0.2, eyeWide=1.3, mouthStretch=0.8,
      jawOpen=0.15, mouthFrown=0.6, mouthFunnel=0.4, mouthUpperUp=0.3,
    ),
    unit_vector(
      browInnerUp=1.4, browOuterUp=0.6, eyeWide=1.4, mouthStretch=0.6, jawOpen=0.25,
      mouthFrown=0.6, mouthFunnel=0.3,
    ),
    unit_vector(
      browInnerUp=1.15, browOuterUp=0.5, browDown=0.2, eyeWide=1.3, mouthStretch=1.25,
      jawOpen=0.25, mouthUpperUp=0.4, mouthFrown=0.6, noseSneer=0.45,
      mouthRollUpper=0.2, mouthShrugUpper=0.2,
    ),
  ),
  'happiness': (
    unit_vector(
      mouthSmile=1.3, cheekSquint=0.9, eyeSquint=0.4, mouthUpperUp=0.7, mouthDimple=0.3,
      jawOpen=0.3, mouthLowerDown=0.4,
    ),
    unit_vector(
      mouthSmile=1.2, cheekSquint=0.8, eyeSquint=0.4, mouthUpperUp=0.5, mouthDimple=0.3,
      jawOpen=0.15, mouthLowerDown=0.2,
    ),
  ),
  'neutral': (unit_vector(),),
  'sadness': (
    # Inner brows up, lids heavy, corners of the mouth down, chin raised.
    unit_vector(
      mouthFrown=1.3, browInnerUp=1.2, browDown=0.6, eyeBlink=0.3, mouthShrugLower=0.9,
      mouthPress=0.3, mouthStretch=0.3,
    ),
    unit_vector(
      mouthFrown=1.35, browInnerUp=0.9, browDown=0.7, eyeSquint=0.25, eyeBlink=0.3,
      mouthShrugLower=0.7, mouthShrugUpper=0.25, mouthStretch=0.6, cheekSquint=0.4,
      mouthRollLower=0.2,
    ),
    unit_vector(
      mouthFrown=1.4, browInnerUp=1.4, browDown=0.3, eyeBlink=0.3, mouthShrugLower=1.1,
      mouthPress=0.3,
    ),
  ),
  'surprise': (
    # Brows up, eyes wide, jaw dropped, lips round.
    unit_vector(
      browInnerUp=1.4, browOuterUp=1.4, eyeWide=1.4, jawOpen=1.1, mouthFunnel=0.8
    ),
    unit_vector(
      browInnerUp=1.3, browOuterUp=1.3, eyeWide=1.4, jawOpen=1.0, mouthFunnel=1.0,
      mouthPucker=0.5,
    ),
    unit_vector(
      browInnerUp=1.0, browOuterUp=1.0, eyeWide=1.3, jawOpen=0.7, mouthFunnel=0.9,
      mouthPucker=0.2,
    ),
  ),
}  # fmt: skip

EMOTION_VARIANTS = {name: np.stack(faces) for name, faces in _VARIANTS.items()}
"""Every emotion's faces, `(k, 52)` each."""

EMOTION_UNITS = {name: faces[0] for name, faces in EMOTION_VARIANTS.items()}
"""The usual face of each emotion, `(52,)`."""


def draw_face(rng: np.random.Generator, emotion: str) -> np.ndarray:
  """One of the variants of an emotion, (52,)."""
  faces = EMOTION_VARIANTS[emotion]
  return faces[rng.integers(len(faces))]
