"""Sources that several tests of objects share."""

from __future__ import annotations

import pytest
from pydicom import dcmread
from pydicom.dataset import Dataset

from tests.support.generate import GeneratedSet


@pytest.fixture(scope="session")
def enhanced_ct(generated_set: GeneratedSet) -> Dataset:
    """The generated CT as one Legacy Converted Enhanced CT image, made by highdicom."""
    from highdicom.legacy import LegacyConvertedEnhancedCTImage

    images = [dcmread(path) for path in generated_set.ct]
    return LegacyConvertedEnhancedCTImage(images, "2.25.7100.50", 50, "2.25.7100.50.1", 1)
