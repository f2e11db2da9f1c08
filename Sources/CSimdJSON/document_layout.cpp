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

bool DocumentLayout::finish(const char *text, size_t count, const std::vector<sluice_json_value> &results) {
    if (refused || count > bytes_max) return false;
    fixed.assign(text, count);
    fixed.append(16, '\0');
    named.assign(results.size(), false);
    for (const Gap &gap : gaps) {
        if (gap.slot >= 0) named[gap.slot] = true;
    }
    commons.clear();
    for (size_t slot = 0; slot < results.size(); slot++) {
        if (!named[slot]) commons.push_back({slot, results[slot].kind});
    }
    length = count - tail;
    known = true;
    return true;
}

bool DocumentLayout::begins(const char *text, size_t count) const noexcept {
    size_t first = gaps.empty() ? length : gaps[0].length;
    return count >= first && is_same(text, fixed.data(), first);
}

void DocumentLayout::fill(sluice_json_value *results) const noexcept {
    for (Common common : commons) results[common.slot].kind = common.kind;
}

bool DocumentLayout::read(const char *text, size_t count, sluice_json_value *results) const noexcept {
    const char *at = text, *end = text + count;
    sluice_json_value ignored;
    for (const Gap &gap : gaps) {
        if (static_cast<size_t>(end - at) <= gap.length) return false;
        if (!is_same(at, fixed.data() + gap.start, gap.length)) return false;
        at = plain_value(at + gap.length, gap.slot < 0 ? ignored : results[gap.slot]);
        if (at == nullptr) return false;
    }
    return static_cast<size_t>(end - at) == length && is_same(at, fixed.data() + tail, length);
}

void DocumentLayouts::had(Known &known) noexcept {
    known.misses = 0;
    known.used = ++now;
    last->next = &known;
    last = &known;
}

inline bool DocumentLayouts::read(
    Known &known, const char *text, size_t count, sluice_json_value *results) noexcept {
    // The last one again, as it was expected.
    bool is_again = owner == &known;
    if (!is_again) {
        if (!known.layout.is_known() || !known.layout.begins(text, count)) return false;
        known.layout.fill(results);
        owner = &known;
    }
    if (known.layout.read(text, count, results)) {
        if (!is_again) {
            had(known);
            patience = 1;
        }
        return true;
    }
    owner = nullptr;
    // It costs each document that begins like it some time.
    known.misses += patience;
    if (known.misses >= misses_max) known.layout.forget();
    return false;
}

bool DocumentLayouts::read(const char *text, size_t count, sluice_json_value *results) noexcept {
    Known *likely = last->next;
    if (likely != nullptr && read(*likely, text, count, results)) return true;
    for (Known &known : layouts) {
        if (&known != likely && read(known, text, count, results)) return true;
    }
    return false;
}

DocumentLayout *DocumentLayouts::learn() noexcept {
    owner = nullptr;
    if (++waited < patience) return nullptr;
    waited = 0;
    patience = std::min(2 * patience, patience_max);
    learning.begin();
    return &learning;
}

void DocumentLayouts::finish(const char *text, size_t count, const std::vector<sluice_json_value> &results) {
    if (!learning.finish(text, count, results)) return;
    // In the place of one that is not known, or of the one that had no document for the longest time.
    auto age = [](const Known &known) { return known.layout.is_known() ? known.used : 0; };
    Known *oldest = layouts;
    for (Known &known : layouts) {
        if (age(known) < age(*oldest)) oldest = &known;
    }
    std::swap(oldest->layout, learning);
    had(*oldest);
}

}  // namespace sluice
