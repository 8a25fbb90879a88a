"""What a GB/T 2260 code covers."""

from marketplace.taxonomy.regions import province_of, region_prefix, wider_regions


def test_a_province_covers_its_districts_and_a_district_only_itself() -> None:
    assert region_prefix("500000") == "50"
    assert region_prefix("500112") == "500112"
    assert list(wider_regions("500112")) == ["500112", "500100", "500000"]
    assert list(wider_regions("500000")) == ["500000"]
    assert province_of("500112") == province_of("500000") == "500000"
