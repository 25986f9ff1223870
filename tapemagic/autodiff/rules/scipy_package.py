"""The package `scipy` itself: its modules come with their twins."""

from __future__ import annotations

import scipy

from .carrying import twin_package

twin_package(scipy)
