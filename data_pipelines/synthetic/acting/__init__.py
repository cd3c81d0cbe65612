"""What the head does: lips, face, eyes, head and torso from speech or from nothing."""
