#include "document_layout.hpp"

#include <algorithm>

#include "numbers.hpp"

namespace sluice {

namespace {

// Whether two texts are the same; reads up to seven bytes beyond. Mostly they are short.
inline bool is_same(const char *a, const char *b, size_t length) noexcept {
    if (length > 16) return std::memcmp(a, b, length) == 0;
    if (length > 8) {
        return load_word(a) == load_word(b) && load_word(a + length - 8) == load_word(b + length - 8);
    }
    return length == 0 || (load_word(a) ^ load_word(b)) << (64 - 8 * length) == 0;
}

// The end of a string's content of printable ASCII without escapes, null for any other. Reads up to seven bytes
// beyond.
inline const char *plain_end(const char *at) noexcept {
    for (;; at += 8) {
        uint64_t word = load_word(at), quotes = word ^ each_byte('"'), escapes = word ^ each_byte('\\');
        // A borrow spoils only what lies behind the first byte found.
        uint64_t found = (word - each_byte(0x20)) | (quotes - each_byte(1)) | (escapes - each_byte(1)) | word;
        found &= each_byte(0x80);
        if (found == 0) continue;
        at += __builtin_ctzll(found) / 8;
        return *at == '"' ? at : nullptr;
    }
}

// A number, a plain string or a literal; its end, null for anything else.
inline const char *plain_value(const char *at, sluice_json_value &out) noexcept {
    switch (*at) {
    case '"':
        out.kind = SLUICE_JSON_STRING;
        out.text = ++at;
        at = plain_end(at);
        if (at == nullptr) return nullptr;
        out.length = static_cast<uint32_t>(at - out.text);
        return at + 1;
    case 'n': out.kind = SLUICE_JSON_NULL; return std::memcmp(at, "null", 4) == 0 ? at + 4 : nullptr;
    case 't':
        out.kind = SLUICE_JSON_BOOL;
        out.boolean = true;
        return std::memcmp(at, "true", 4) == 0 ? at + 4 : nullptr;
    case 'f':
        out.kind = SLUICE_JSON_BOOL;
        out.boolean = false;
        return std::memcmp(at, "false", 5) == 0 ? at + 5 : nullptr;
    default: return *at >= '-' && *at <= '9' ? scan_number(at, out) : nullptr;  // '.' and '/' begin no number either
    }
}

}  // namespace

void DocumentLayout::begin() noexcept {
    known = refused = false;
    gaps.clear();
    tail = 0;
}

void DocumentLayout::add(size_t start, size_t end, int32_t slot) {
    gaps.push_back({tail, start - tail, slot});
    tail = end;
}

void DocumentLayout::finish(const char *text, size_t count) {
    if (refused || count > bytes_max) return;
    fixed.assign(text, count);
    fixed.append(16, '\0');
    length = count - tail;
    known = true;
}

bool DocumentLayout::read(const char *text, size_t count, sluice_json_value *results) noexcept {
    if (!known) return false;
    const char *at = text, *end = text + count;
    sluice_json_value ignored;
    for (const Gap &gap : gaps) {
        if (static_cast<size_t>(end - at) <= gap.length) return miss();
        if (!is_same(at, fixed.data() + gap.start, gap.length)) return miss();
        at = plain_value(at + gap.length, gap.slot < 0 ? ignored : results[gap.slot]);
        if (at == nullptr) return miss();
    }
    if (static_cast<size_t>(end - at) != length || !is_same(at, fixed.data() + tail, length)) return miss();
    patience = 1;
    return true;
}

bool DocumentLayout::miss() noexcept {
    known = false;
    patience = std::min(2 * patience, patience_max);
    waited = 0;
    return false;
}

bool DocumentLayout::should_learn() noexcept { return ++waited >= patience; }

}  // namespace sluice
