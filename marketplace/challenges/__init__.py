"""发榜: challenges with measurable indicators, from draft to published and closed."""
