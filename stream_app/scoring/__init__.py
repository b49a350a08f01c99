"""Models as checked values: the champion, the corrector, the guard, the interval."""
