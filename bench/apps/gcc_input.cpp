// SPDX-License-Identifier: BSD-2-Clause
/*
 * gcc_input - what bench/apps/gcc compiles: much of the standard library, with
 * templates made for several types
 */
#include <algorithm>
#include <deque>
#include <functional>
#include <iostream>
#include <list>
#include <map>
#include <memory>
#include <numeric>
#include <optional>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <tuple>
#include <unordered_map>
#include <variant>
#include <vector>

namespace
{
template <int N> struct Tag {
	std::string name = "tag" + std::to_string(N);
	int value = N;
	bool operator<(const Tag &other) const
	{
		return std::tie(name, value) < std::tie(other.name, other.value);
	}
};

template <class Key, class Value> class Table {
public:
	void put(Key key, Value value)
	{
		ordered[key] = value;
		order.push_back(std::move(key));
	}
	std::optional<Value> get(const Key &key) const
	{
		auto found = ordered.find(key);
		if (found == ordered.end())
			return std::nullopt;
		return found->second;
	}
	std::vector<Key> sorted() const
	{
		std::vector<Key> keys(order.begin(), order.end());
		std::sort(keys.begin(), keys.end());
		keys.erase(std::unique(keys.begin(), keys.end(),
				       [](const Key &a, const Key &b) {
					       return !(a < b) && !(b < a);
				       }),
			   keys.end());
		std::stable_partition(keys.begin(), keys.end(),
				      [this](const Key &k) {
					      return get(k).has_value();
				      });
		return keys;
	}

private:
	std::map<Key, Value> ordered;
	std::deque<Key> order;
};

using Any = std::variant<int, double, std::string, std::vector<int>,
			 std::shared_ptr<std::list<std::string>>>;

template <int N> int exercise(std::ostream &out)
{
	Table<Tag<N>, Any> table;
	Table<std::string, Tag<N>> names;
	std::unordered_map<std::string, std::function<int(int)>> calls;
	std::set<std::tuple<int, std::string>> seen;
	for (int i = 0; i < 100 + N; i++) {
		Tag<N> tag;
		tag.value = i * N;
		names.put(tag.name + std::to_string(i), tag);
		table.put(tag, i % 2 ? Any(i) : Any(std::vector<int>(i, N)));
		calls.emplace(tag.name, [tag](int x) { return x + tag.value; });
		seen.emplace(i % 7, tag.name);
	}
	int sum = std::accumulate(seen.begin(), seen.end(), 0,
				  [](int s, const auto &t) {
					  return s + std::get<0>(t);
				  });
	for (const auto &key : table.sorted())
		std::visit([&](const auto &v) { sum += int(sizeof v); },
			   *table.get(key));
	std::ostringstream text;
	for (const auto &name : names.sorted())
		text << name << ' ' << calls.at("tag" + std::to_string(N))(sum);
	out << text.str();
	return sum;
}

template <int... N>
int exercise_all(std::ostream &out, std::integer_sequence<int, N...>)
{
	return (exercise<N>(out) + ...);
}
} // namespace

int main()
{
	std::cout << exercise_all(std::cout,
				  std::make_integer_sequence<int, 2>())
		  << '\n';
}
