/* SPDX-License-Identifier: BSD-2-Clause */
/* conf: every message about a line */
#include "support/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/compiler.h"
#include "base/nodeset.h"
#include "control/conf.h"
#include "support/messages.h"

static void assert_nodes(const struct cm_nodeset *nodes, const char *expected)
{
	char text[CM_NODESET_TEXT_MAX];

	cm_nodeset_format(nodes, text, sizeof(text));
	assert_string_equal(text, expected);
}

/* text has one thing wrong with it, and this is what we say */
static void assert_says(const char *text, const char *expected)
{
	struct messages messages;

	parse(text, &messages);
	if (messages.nr != 1)
		fail_msg("%s: %u messages", text, messages.nr);
	assert_string_equal(messages.text[0], expected);
	assert_int_equal(messages.sink.nr_bad, 1);
}

static void a_bad_value_is_one_line(void **state)
{
	(void)state;
#define WEIGHTS							\
	"not auto, two weights in 0..1000 (3:1) or nodes' weights "	\
	"(0=3,2=1), using auto"
#define SAYS(token, rest) assert_says(token, "CXLMALLOC_CONF: " token ": " rest)
	SAYS("ddr.limit=12q",
	     "not a size (bytes with k, m, g or t), 1% to 100%, or none, "
	     "using none");
	SAYS("ddr.limit=0%",
	     "not a size (bytes with k, m, g or t), 1% to 100%, or none, "
	     "using none");
	SAYS("ddr.limit=101%",
	     "not a size (bytes with k, m, g or t), 1% to 100%, or none, "
	     "using none");
	SAYS("ddr.limit=%",
	     "not a size (bytes with k, m, g or t), 1% to 100%, or none, "
	     "using none");
	SAYS("ddr.limit=",
	     "not a size (bytes with k, m, g or t), 1% to 100%, or none, "
	     "using none");
	SAYS("cxl.limit=16e",
	     "not a size (bytes with k, m, g or t), 1% to 100%, or none, "
	     "using none");
	SAYS("mmap.min=none", "not a size (bytes with k, m, g or t) in 4k..1t, "
			      "using 256k");
	SAYS("mmap.min=2t", "not a size (bytes with k, m, g or t) in 4k..1t, "
			    "using 256k");
	SAYS("cxl.limit=16777216t", "too large a size (none: no limit), "
				    "using none");
	SAYS("interleave=0=3,0=1", WEIGHTS);
	SAYS("cxl.groups=near=1/far=1",
	     "not noop, node or at most 7 names "
	     "with nodes (near=1-2/far=3+4), using noop");
	SAYS("interleave=3", WEIGHTS);
	SAYS("interleave=0:0", WEIGHTS);
	SAYS("interleave=1:1:1", WEIGHTS);
	SAYS("interleave=1:1001", WEIGHTS);
	SAYS("interleave=-1:2", WEIGHTS);
	SAYS("interleave=:", WEIGHTS);
	SAYS("policy=sizes", "not priority, interleave, size or bandwidth, "
			     "using priority");
	SAYS("rule=a", "not [MODULE][!SYMBOL]:ddr or :cxl, globs on a file's "
		       "base name and a symbol; up to 32, ';' between them, "
		       "ignored");
	SAYS("order=ddr:hbm", "not ddr:cxl, cxl:ddr, ddr or cxl, "
			      "using ddr:cxl");
	SAYS("on_full=explode", "not fail, spill, interleave or remain, "
				"using spill");
	SAYS("placement=loose", "not auto, strict or preferred, using auto");
	SAYS("ddr.nodes=emulated", "not auto or a list of nodes in 0..1023 "
				   "(0-1,3), using auto");
	SAYS("ddr.nodes=", "not auto or a list of nodes in 0..1023 (0-1,3), "
			   "using auto");
	SAYS("cxl.nodes=0,1024", "not auto, emulated or a list of nodes in "
				 "0..1023 (0-1,3), using auto");
	SAYS("arenas=257", "not in 0..256, using 0");
	SAYS("arenas=-1", "not in 0..256, using 0");
	SAYS("arenas=many", "not in 0..256, using 0");
	SAYS("decay_ms=600001", "not in -1..600000, using 10000");
	SAYS("decay_ms=-2", "not in -1..600000, using 10000");
	SAYS("stats_print=yes", "not true or false, using false");
	SAYS("stats_format=xml", "not table or json, using table");
	SAYS("abort_conf=1", "not true or false, using false");
	/* the separator is shown as it was written */
	SAYS("arenas : 257", "not in 0..256, using 0");
#undef SAYS
}

static void what_is_no_setting_is_one_line(void **state)
{
	(void)state;
	assert_says("foo", "CXLMALLOC_CONF: foo: not key=value, ignored");
	assert_says("order=ddr,cxl",
		    "CXLMALLOC_CONF: cxl: not key=value, ignored");
	assert_says("2-3", "CXLMALLOC_CONF: 2-3: not key=value, ignored");
	assert_says("=5", "CXLMALLOC_CONF: =5: unknown key, ignored");
	assert_says("colour=red",
		    "CXLMALLOC_CONF: colour=red: unknown key, ignored");
}

static void a_near_key_is_suggested(void **state)
{
	(void)state;
	assert_says("ddr.limt=1g", "CXLMALLOC_CONF: ddr.limt=1g: unknown key, "
				   "did you mean ddr.limit?");
	assert_says("narenas:10", "CXLMALLOC_CONF: narenas:10: unknown key, "
				  "did you mean arenas?");
	assert_says("ON_FULL=fail",
		    "CXLMALLOC_CONF: ON_FULL=fail: unknown key, ignored");
	assert_says("exmem_sise:4", "CXLMALLOC_CONF: exmem_sise:4: unknown "
				    "key, did you mean exmem_size?");
	/* a list behind an unknown key is not a second mistake */
	assert_says("ddr.node=0,2-3", "CXLMALLOC_CONF: ddr.node=0,2-3: unknown "
				      "key, did you mean ddr.nodes?");
}

static void a_bad_value_keeps_the_good_one_before(void **state)
{
	struct messages messages;
	struct cm_settings s = parse("ddr.limit=64m,ddr.limit=64q,arenas=4",
				     &messages);

	(void)state;
	assert_int_equal(messages.nr, 1);
	assert_string_equal(
		messages.text[0],
		"CXLMALLOC_CONF: ddr.limit=64q: not a size (bytes "
		"with k, m, g or t), 1% to 100%, or none, using 64m");
	assert_true(s.tier[CM_TIER_DDR].limit == 64 * MIB);
	assert_int_equal(s.nr_arenas, 4);
}

static void each_bad_setting_is_counted(void **state)
{
	struct messages messages;

	(void)state;
	parse("a=1,order=ddr,b,arenas=x", &messages);
	assert_int_equal(messages.nr, 3);
	assert_int_equal(messages.sink.nr_bad, 3);
}

static void foreign_text_cannot_reach_the_terminal(void **state)
{
	(void)state;
	assert_says("order=\033[31m\x7f\xc3\xa4\\",
		    "CXLMALLOC_CONF: order=\\x1b[31m\\x7f\\xc3\\xa4\\x5c: not "
		    "ddr:cxl, cxl:ddr, ddr or cxl, using ddr:cxl");
}

static void huge_tokens_are_cut_in_messages(void **state)
{
	struct messages messages;
	char *text = malloc(1 << 20);

	(void)state;
	assert_non_null(text);
	memset(text, 'k', (1 << 20) - 1);
	text[(1 << 20) - 1] = '\0';
	parse(text, &messages);
	assert_int_equal(messages.nr, 1);
	assert_non_null(strstr(messages.text[0], "kkk...: not key=value"));
	memcpy(text, "order=", 6);
	parse(text, &messages);
	assert_int_equal(messages.nr, 1);
	assert_non_null(strstr(messages.text[0], "kkk...: not ddr:cxl"));
	memset(text, '\1', 64);
	parse(text, &messages);
	assert_int_equal(messages.nr, 1);
	free(text);
}

static void lines_of_a_file_are_numbered(void **state)
{
	struct messages messages;
	struct cm_settings s;

	(void)state;
	messages_init(&messages);
	cm_conf_defaults(&s);
	cm_conf_parse_lines(&s, "/etc/cxlmalloc.conf",
			    "# ours\norder = cxl:ddr\n\nddr.limits=1g\n"
			    "ddr.nodes = 0,2-3 # both\narenas=4,5\n",
			    &messages.sink);
	assert_int_equal(messages.nr, 2);
	assert_string_equal(messages.text[0],
			    "/etc/cxlmalloc.conf:4: ddr.limits=1g: unknown "
			    "key, did you mean ddr.limit?");
	assert_string_equal(messages.text[1],
			    "/etc/cxlmalloc.conf:6: arenas=4,5: not in 0..256, "
			    "using 0");
	assert_int_equal(s.order[0], CM_TIER_CXL);
	assert_nodes(&s.tier[CM_TIER_DDR].nodes, "0,2-3");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_bad_value_is_one_line),
		cmocka_unit_test(what_is_no_setting_is_one_line),
		cmocka_unit_test(a_near_key_is_suggested),
		cmocka_unit_test(a_bad_value_keeps_the_good_one_before),
		cmocka_unit_test(each_bad_setting_is_counted),
		cmocka_unit_test(foreign_text_cannot_reach_the_terminal),
		cmocka_unit_test(huge_tokens_are_cut_in_messages),
		cmocka_unit_test(lines_of_a_file_are_numbered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
