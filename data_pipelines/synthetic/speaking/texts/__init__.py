"""Grammars, one module a language: word lists and templates of our own."""
