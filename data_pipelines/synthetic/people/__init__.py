"""Who is seen: one person from one seed, with hair, skin and what is worn."""
