"""Japan's prefectures, cities, towns, villages and special wards, by the names that people write."""
