/* SPDX-License-Identifier: BSD-2-Clause */
#include "control/parse.h"

#include <errno.h>
#include <string.h>

#include "base/compiler.h"

bool cm_slice_is(struct cm_slice slice, const char *word)
{
	return strlen(word) == slice.len &&
	       memcmp(slice.at, word, slice.len) == 0;
}

const char *cm_tier_name(enum cm_tier tier)
{
	return tier == CM_TIER_DDR ? "ddr" : "cxl";
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_blank(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static struct cm_slice trim(const char *from, const char *to)
{
	while (from < to && is_blank(*from))
		from++;
	while (from < to && is_blank(to[-1]))
		to--;
	return (struct cm_slice){ from, (size_t)(to - from) };
}

static void split(struct cm_token *token, struct cm_slice whole)
{
	const char *p = whole.at, *end = whole.at + whole.len;

	token->whole = whole;
	while (p < end && *p != '=' && *p != ':')
		p++;
	token->separator = p < end ? *p : 0;
	token->key = trim(whole.at, p);
	token->value = p < end ? trim(p + 1, end) : trim(end, end);
}

/* Is the part that starts here, up to a comma, made like a list of nodes? */
static bool continues_list(const char *at)
{
	const char *end = strchrnul(at, ',');
	struct cm_slice part = trim(at, end);

	if (part.len == 0 || !is_digit(*part.at))
		return false;
	for (size_t i = 0; i < part.len; i++) {
		char c = part.at[i];

		/* a node's weight: digits before, digits behind */
		if (c == '=' && i + 1 < part.len && is_digit(part.at[i + 1]))
			continue;
		if (!is_digit(c) && c != '-' && c != '+')
			return false;
	}
	return true;
}

bool cm_parse_list(struct cm_token *token, const char **at)
{
	const char *start, *end;

	while (**at) {
		start = *at;
		end = strchrnul(start, ',');
		split(token, trim(start, end));
		if (token->separator) {
			while (*end && continues_list(end + 1))
				end = strchrnul(end + 1, ',');
			split(token, trim(start, end));
		}
		*at = *end ? end + 1 : end;
		if (token->whole.len > 0 && !cm_slice_is(token->whole, ":"))
			return true;
	}
	return false;
}

static const char *find_comment(const char *from, const char *to)
{
	for (const char *p = from; p < to; p++)
		if (*p == '#' && (p == from || is_blank(p[-1])))
			return p;
	return to;
}

bool cm_parse_lines(struct cm_token *token, const char **at, unsigned *nr_line)
{
	const char *start, *end;

	while (**at) {
		start = *at;
		end = strchrnul(start, '\n');
		*at = *end ? end + 1 : end;
		++*nr_line;
		split(token, trim(start, find_comment(start, end)));
		if (token->whole.len > 0)
			return true;
	}
	return false;
}

/* Decimal digits only, all of text. */
static int parse_magnitude(struct cm_slice text, uint64_t *value)
{
	uint64_t sum = 0;
	bool over = false;

	if (text.len == 0)
		return -EINVAL;
	for (size_t i = 0; i < text.len; i++) {
		if (!is_digit(text.at[i]))
			return -EINVAL;
		over |= __builtin_mul_overflow(sum, 10, &sum);
		over |= __builtin_add_overflow(
			sum, (uint64_t)(text.at[i] - '0'), &sum);
	}
	if (over)
		return -ERANGE;
	*value = sum;
	return 0;
}

int cm_parse_int(struct cm_slice text, int64_t min, int64_t max, int64_t *value)
{
	bool negative = text.len > 0 && *text.at == '-';
	uint64_t magnitude;
	int64_t found;
	int err;

	if (negative) {
		text.at++;
		text.len--;
	}
	err = parse_magnitude(text, &magnitude);
	if (err < 0)
		return err;
	if (magnitude > INT64_MAX)
		return -ERANGE;
	found = negative ? -(int64_t)magnitude : (int64_t)magnitude;
	if (found < min || found > max)
		return -ERANGE;
	*value = found;
	return 0;
}

int cm_parse_bool(struct cm_slice text, bool *value)
{
	if (cm_slice_is(text, "true"))
		*value = true;
	else if (cm_slice_is(text, "false"))
		*value = false;
	else
		return -EINVAL;
	return 0;
}

int cm_parse_size(struct cm_slice text, uint64_t *size)
{
	unsigned shift = 0;
	uint64_t number;
	int err;

	if (cm_slice_is(text, "none")) {
		*size = CM_NO_LIMIT;
		return 0;
	}
	if (text.len == 0)
		return -EINVAL;
	switch (text.at[text.len - 1] | ('a' - 'A')) {
	case 'k':
		shift = 10;
		break;
	case 'm':
		shift = 20;
		break;
	case 'g':
		shift = 30;
		break;
	case 't':
		shift = 40;
		break;
	}
	if (shift > 0)
		text.len--;
	err = parse_magnitude(text, &number);
	if (err < 0)
		return err;
	if (number > (CM_NO_LIMIT - 1) >> shift)
		return -ERANGE;
	*size = number << shift;
	return 0;
}

static int parse_tier(struct cm_slice name, enum cm_tier *tier)
{
	for (*tier = 0; *tier < CM_NR_TIERS; ++*tier)
		if (cm_slice_is(name, cm_tier_name(*tier)))
			return 0;
	return -EINVAL;
}

int cm_parse_sizes(struct cm_slice text, struct cm_sizes *sizes)
{
	const char *p = text.at, *end = text.at + text.len, *stop;
	struct cm_sizes found = { 0 };
	struct cm_slice part;
	uint64_t least = 1;
	int err;

	for (unsigned i = 0;; i++, p = stop + 1) {
		stop = memchr(p, ':', (size_t)(end - p));
		part = trim(p, stop ? stop : end);
		if (i % 2 == 0) {
			err = parse_tier(part, &found.tier[found.nr]);
		} else if (found.nr == CM_MAX_SIZES - 1) {
			err = -EINVAL;
		} else {
			err = cm_parse_size(part, &found.bound[found.nr]);
			if (err == 0 && (found.bound[found.nr] < least ||
					 found.bound[found.nr] == CM_NO_LIMIT))
				err = -EINVAL;
			least = found.bound[found.nr++] + 1;
		}
		if (err < 0)
			return err;
		if (!stop && i % 2)
			return -EINVAL;	/* ends in a size */
		if (!stop)
			break;
	}
	*sizes = found;
	return 0;
}

int cm_parse_order(struct cm_slice text, enum cm_tier order[CM_NR_TIERS],
		   unsigned *nr)
{
	const char *p = text.at, *end = text.at + text.len, *stop;
	enum cm_tier found[CM_NR_TIERS], tier;
	unsigned count = 0, i;
	struct cm_slice name;

	for (;; p = stop + 1) {
		stop = memchr(p, ':', (size_t)(end - p));
		name = trim(p, stop ? stop : end);
		if (parse_tier(name, &tier) < 0)
			return -EINVAL;
		for (i = 0; i < count; i++)
			if (found[i] == tier)
				return -EINVAL;
		/* each tier once: count stays below CM_NR_TIERS here */
		found[count++] = tier;
		if (!stop)
			break;
	}
	memcpy(order, found, count * sizeof(found[0]));
	*nr = count;
	return 0;
}

int cm_parse_weights(struct cm_slice text, int64_t max,
		     unsigned weight[CM_NR_TIERS])
{
	const char *p = text.at, *end = text.at + text.len, *stop;
	unsigned found[CM_NR_TIERS] = { 0 }, nr = 0, sum = 0;
	int64_t number;
	int err;

	if (cm_slice_is(text, "auto")) {
		memset(weight, 0, sizeof(found));
		return 0;
	}
	for (; nr < CM_NR_TIERS; p = stop + 1) {
		stop = memchr(p, ':', (size_t)(end - p));
		err = cm_parse_int(trim(p, stop ? stop : end), 0, max, &number);
		if (err < 0)
			return err;
		sum += found[nr++] = (unsigned)number;
		if (!stop)
			break;
	}
	if (nr < CM_NR_TIERS || stop || !sum)
		return -EINVAL;
	memcpy(weight, found, sizeof(found));
	return 0;
}

unsigned cm_parse_distance(struct cm_slice a, struct cm_slice b, unsigned max)
{
	unsigned row[64], diagonal, above;

	if (a.len >= CM_ARRAY_SIZE(row) || b.len >= CM_ARRAY_SIZE(row))
		return max + 1;
	for (unsigned j = 0; j <= b.len; j++)
		row[j] = j;
	for (unsigned i = 1; i <= a.len; i++) {
		diagonal = row[0];
		row[0] = i;
		for (unsigned j = 1; j <= b.len; j++) {
			above = row[j];
			row[j] = diagonal + (a.at[i - 1] != b.at[j - 1]);
			if (above + 1 < row[j])
				row[j] = above + 1;
			if (row[j - 1] + 1 < row[j])
				row[j] = row[j - 1] + 1;
			diagonal = above;
		}
	}
	return row[b.len];
}
