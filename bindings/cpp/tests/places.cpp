// SPDX-License-Identifier: BSD-2-Clause
//
// places - where pages are, information, events, values by name
#include <cerrno>
#include <cstring>
#include <numeric>
#include <poll.h>
#include <string>
#include <sys/mman.h>
#include <vector>

#include "check.hpp"

namespace {

template <class T> using vector = std::vector<T, cxlm::allocator<T>>;
constexpr std::size_t mib = 1 << 20;

void test_pages()
{
	vector<int> v(mib, 7, cxl);
	auto node = cxlm::node_of(&v[1000]);
	check(node && *node >= 0 && *node < cxlm::nr_nodes(),
	      "a page that is there has its node");

	void *p = mmap(nullptr, mib, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	std::error_code error(1, std::generic_category());
	check(!cxlm::node_of(p) && !cxlm::node_of(p, error) && !error,
	      "a page that was never touched has none, and no error");
	cxlm::populate(p, mib);
	check(cxlm::node_of(p).has_value() &&
		      cxlm::resident(p, mib).total == mib,
	      "populate makes it be there");
	munmap(p, mib);
	check(throws_errno(EFAULT, [p] { (void)cxlm::node_of(p); }),
	      "where nothing is mapped: system_error with EFAULT");
	check(!cxlm::node_of(p, error) && error.value() == EFAULT,
	      "or as an error code");

	auto found = cxlm::resident(v);
	check(found.total >= v.size() * sizeof(int) &&
		      std::accumulate(found.nodes.begin(), found.nodes.end(),
				      std::uint64_t(0)) == found.total &&
		      found.on(*node) > 0 && found.on(-1) == 0 &&
		      found.on(100000) == 0,
	      "a vector is resident, and on nodes that sum up");

	std::uint64_t moved = cxlm::migrate(v, ddr);
	check(moved >= v.size() * sizeof(int) - 8192 && v[1000] == 7,
	      "migrate to DDR: bytes there, contents as before");
	moved = cxlm::migrate(v.data(), v.size() * sizeof(int), cxl,
			      cxlm::placement::preferred, error);
	check(!error && moved > 0 && v[mib - 1] == 7,
	      "and back, with an error code");
	check(throws_errno(EINVAL, [&v] {
		      (void)cxlm::migrate(v, cxlm::tier{ 7 });
	      }),
	      "not a tier: EINVAL");
	moved = cxlm::migrate(v.data(), 8192, cxlm::tier{ 7 },
			      cxlm::placement::strict, error);
	check(moved == 0 && error.value() == EINVAL, "or as an error code");
	check(cxlm::migrate_node(v, *node) > 0, "migrate to its own node");
	check(throws_errno(EINVAL, [&v] {
		      (void)cxlm::migrate_node(v, 1000);
	      }),
	      "no such node: EINVAL");
	cxlm::advise(v, cxlm::advice::cold);
	cxlm::advise(v.data(), 4096, cxlm::advice::hot);
	check(throws_errno(EINVAL, [&v] {
		      cxlm::advise(v, cxlm::advice{ 77 });
	      }) && v[5] == 7,
	      "advice, and what is none");
	const std::string constant(100000, 'x');
	int array[10000] = {};
	check(cxlm::resident(constant).total > 0 &&
		      cxlm::resident(array).total > 0,
	      "ranges are strings and arrays, too");
	int here = 0;
	check(!cxlm::tier_of(nullptr) && !cxlm::tier_of(&here),
	      "what is on no tier");
}

void test_information()
{
	check(std::strlen(cxlm::version()) > 0, "the version");
	auto before = cxlm::usage(cxl);
	vector<char> v(8 * mib, 'x', cxl);
	auto after = cxlm::usage(cxl);
	check(after.used >= before.used && after.used >= 8 * mib &&
		      after.peak >= after.used,
	      "a tier's use grows");
	auto info = cxlm::info(cxl);
	check(!std::strcmp(info.name, "cxl") && info.in_use >= 8 * mib,
	      "a tier's information");
	check(throws_errno(EINVAL, [] {
		      (void)cxlm::usage(cxlm::tier::policy);
	      }) && throws_errno(EINVAL, [] {
		      (void)cxlm::info(cxlm::tier{ 7 });
	      }),
	      "not a tier: EINVAL");
	int nodes = 0;
	for (int i = 0; i < cxlm::nr_nodes(); i++)
		try {
			nodes += cxlm::node_info(i).total > 0;
		} catch (const std::system_error &error) {
			nodes -= error.code().value() != ENODEV;
		}
	check(nodes > 0, "nodes have memory");
	check(throws_errno(ENODEV, [] { (void)cxlm::node_info(1000); }),
	      "no such node: ENODEV");
}

void test_by_name()
{
	check(cxlm::ctl_u64("tier.cxl.used") > 0, "a number by its name");
	check(!cxlm::ctl_string("policy").empty() &&
		      std::strlen(cxlm::ctl_string("version").c_str()) ==
			      cxlm::ctl_string("version").size(),
	      "a string by its name");
	check(throws_errno(ENOENT, [] { (void)cxlm::ctl_u64("no.such"); }) &&
		      throws_errno(ENOENT, [] {
			      (void)cxlm::ctl_string("no.such");
		      }),
	      "no such name: ENOENT");

	cxlm::events events;
	(void)events.read();
	check(events.fd() >= 0 && events.read() == 0, "no event");
	cxlm::ctl_set("conf", "policy=interleave,interleave=3:1");
	pollfd ready = { events.fd(), POLLIN, 0 };
	vector<char> v(8 * mib, 'x');
	check(poll(&ready, 1, 10000) == 1 &&
		      (events.read() & CXLM_EVENT_POLICY) != 0,
	      "another policy is an event");
	check(cxlm::ctl_string("policy") == "interleave", "and in force");
	check(throws_errno(EINVAL, [] { cxlm::ctl_set("conf", "policy=no"); }),
	      "a setting that is wrong: EINVAL");
	cxlm::ctl_set("conf", "policy=priority");
	cxlm::events moved = std::move(events);
	check(moved.fd() >= 0 && events.fd() < 0, "events are moved");
}

} // namespace

void test_places()
{
	test_pages();
	test_information();
	test_by_name();
}
