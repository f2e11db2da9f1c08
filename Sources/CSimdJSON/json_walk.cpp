// One strict walk over a document, delivering the values a trie of pointers names.
//
// A document that differs from one before only in its values needs no walk (`DocumentLayouts`). For any other simdjson
// finds the tokens and checks UTF-8, quotes and control characters (its first stage, with the widest
// instructions the processor has); the walk over the tokens is done here, because it must look at everything, also at
// what no pointer names, and the on-demand interface is lazy about what it skips and three times slower when it skips
// nothing.
#include <simdjson.h>

#include <algorithm>
#include <cstring>
#include <memory>

#include "document_layout.hpp"
#include "numbers.hpp"
#include "pointer_trie.hpp"
#include "simdjson_shim.h"

using simdjson::error_code;
using sluice::Node;

namespace {

constexpr int depth_max = 256;
constexpr size_t capacity_min = 1 << 12;

bool is_space(char c) noexcept { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }

// Whether there is a backslash; reads up to seven bytes beyond the end. Mostly one round: not worth unrolling.
inline bool has_escape(const char *text, size_t length) noexcept {
    constexpr uint64_t ones = 0x0101010101010101, highs = ones << 7;
#pragma clang loop vectorize(disable) unroll(disable)
    for (;; text += 8, length -= 8) {
        uint64_t difference = sluice::first_bytes(text, length) ^ ('\\' * ones);
        if (((difference - ones) & ~difference & highs) != 0) return true;
        if (length <= 8) return false;
    }
}

// simdjson 3.1 gave its string parser a third parameter.
template <typename Tokens>
auto parse_string(const Tokens &tokens, const uint8_t *source, uint8_t *out, int)
    -> decltype(tokens.parse_string(source, out, false)) {
    return tokens.parse_string(source, out, false);
}
template <typename Tokens>
auto parse_string(const Tokens &tokens, const uint8_t *source, uint8_t *out, long)
    -> decltype(tokens.parse_string(source, out)) {
    return tokens.parse_string(source, out);
}

}  // namespace

// A place among the tokens: each is where one starts in the document, behind the last lies a zero byte.
using Token = const uint32_t *;

struct sluice_json_parser {
    sluice::PointerTrie trie;
    sluice::DocumentLayouts layouts;
    std::unique_ptr<simdjson::internal::dom_parser_implementation> tokens;
    std::unique_ptr<char[]> buffer;        // the document, then zeros
    std::unique_ptr<uint8_t[]> unescaped;  // its strings with escapes, each once
    size_t capacity = 0;
    // Behind the document: what simdjson and the comparison with the longest name may read.
    size_t padding = simdjson::SIMDJSON_PADDING;

    error_code parse(const void *bytes, size_t count);

private:
    uint8_t *unescaped_end = nullptr;
    uint64_t document = 0;
    sluice::DocumentLayout *layout = nullptr;  // to be learned from the document at hand, if any
    error_code error = simdjson::SUCCESS;

    // Each returns the token behind what it read, null when that is wrong, which `fail` has noted.
    Token value(const char *text, Token at, Node *node, int depth);
    Token object(const char *text, Token at, Node *node, int depth);
    Token array(const char *text, Token at, Node *node, int depth);
    Token string(const char *text, Token at, std::string_view &out);
    Token literal(const char *text, Token at, std::string_view name);
    Token key(const char *text, Token at, Node *node, Node *&found);
    Token any_key(const char *text, Token at, Node *node, Node *&found);

    error_code grow(size_t count);
    error_code copy_results() noexcept {
        for (auto [from, to] : trie.copies) trie.results[to] = trie.results[from];
        return simdjson::SUCCESS;
    }
    bool unescape(std::string_view &string);
    Node *arrived(Node *node);
    Token fail(error_code code) {
        error = code;
        return nullptr;
    }
};

// Of equal keys the last counts: what an earlier one left below is forgotten.
inline Node *sluice_json_parser::arrived(Node *node) {
    if (node->document == document) {
        trie.mark_below(*node, SLUICE_JSON_MISSING);
        if (layout != nullptr) layout->refuse();
    }
    node->document = document;
    return node;
}

// Without escapes a string is handed out where it lies.
inline Token sluice_json_parser::string(const char *text, Token at, std::string_view &out) {
    const char *start = text + at[0] + 1;
    const char *end = text + at[1] - 1;
    while (is_space(*end)) end--;
    if (end < start || *end != '"') return fail(simdjson::STRING_ERROR);
    out = {start, static_cast<size_t>(end - start)};
    if (has_escape(start, out.size()) && !unescape(out)) return fail(simdjson::STRING_ERROR);
    return at + 1;
}

bool sluice_json_parser::unescape(std::string_view &string) {
    uint8_t *start = unescaped_end;
    unescaped_end = parse_string(*tokens, reinterpret_cast<const uint8_t *>(string.data()), start, 0);
    if (unescaped_end == nullptr) return false;
    string = {reinterpret_cast<char *>(start), static_cast<size_t>(unescaped_end - start)};
    // A lone low surrogate comes through as three bytes that are not UTF-8.
    return simdjson::validate_utf8(string);
}

Token sluice_json_parser::literal(const char *text, Token at, std::string_view name) {
    const char *start = text + at[0], *end = start + name.size();
    bool whole = end == text + at[1] || is_space(*end);
    if (!whole || std::memcmp(start, name.data(), name.size()) != 0) return fail(simdjson::TAPE_ERROR);
    return at + 1;
}

// `found` is the child a key names, null if none. Documents of one topic mostly have one order: the expected child
// first.
inline Token sluice_json_parser::key(const char *text, Token at, Node *node, Node *&found) {
    if (node != nullptr && !node->children.empty()) {
        Node &expected = node->children[node->expected];
        if (expected.is_quoted_at(text + at[0] + 1)) {
            node->expected = node->expected + 1 == node->children.size() ? 0 : node->expected + 1;
            found = arrived(&expected);
            return at + 1;
        }
    }
    return any_key(text, at, node, found);
}

Token sluice_json_parser::any_key(const char *text, Token at, Node *node, Node *&found) {
    std::string_view name;
    at = string(text, at, name);
    found = nullptr;
    if (at == nullptr || node == nullptr) return at;
    size_t place = node->child(name);
    if (place == node->children.size()) return at;
    node->expected = static_cast<uint32_t>(place + 1 == node->children.size() ? 0 : place + 1);
    found = arrived(&node->children[place]);
    return at;
}

Token sluice_json_parser::object(const char *text, Token at, Node *node, int depth) {
    at++;
    if (text[*at] == '}') return at + 1;
    for (;;) {
        if (text[*at] != '"') return fail(simdjson::TAPE_ERROR);
        Node *found;
        at = key(text, at, node, found);
        if (at == nullptr) return nullptr;
        if (text[*at++] != ':') return fail(simdjson::TAPE_ERROR);
        at = value(text, at, found, depth);
        if (at == nullptr) return nullptr;
        char next = text[*at++];
        if (next == '}') return at;
        if (next != ',') return fail(simdjson::TAPE_ERROR);
    }
}

Token sluice_json_parser::array(const char *text, Token at, Node *node, int depth) {
    if (node != nullptr) {
        for (Node &named : node->children) {
            if (named.index >= 0) continue;
            if (named.slot >= 0) trie.results[named.slot].kind = SLUICE_JSON_MISPLACED;
            trie.mark_below(named, SLUICE_JSON_MISPLACED);
        }
    }
    at++;
    if (text[*at] == ']') return at + 1;
    size_t element = 0;
    for (int64_t index = 0;; index++) {
        Node *found = nullptr;
        if (node != nullptr && element < node->elements.size()) {
            Node &next = node->children[node->elements[element]];
            if (next.index == index) {
                found = arrived(&next);
                element++;
            }
        }
        at = value(text, at, found, depth);
        if (at == nullptr) return nullptr;
        char next = text[*at++];
        if (next == ']') return at;
        if (next != ',') return fail(simdjson::TAPE_ERROR);
    }
}

Token sluice_json_parser::value(const char *text, Token at, Node *node, int depth) {
    sluice_json_value ignored;
    sluice_json_value &out = node != nullptr && node->slot >= 0 ? trie.results[node->slot] : ignored;
    char first = text[*at];
    const uint32_t start = *at;
    if (first == '-' || (first >= '0' && first <= '9')) {
        const char *end = sluice::scan_number(text + *at++, out);
        if (end == nullptr || (end != text + *at && !is_space(*end))) return fail(simdjson::NUMBER_ERROR);
    } else if (first == '"') {
        std::string_view content;
        at = string(text, at, content);
        out.kind = SLUICE_JSON_STRING;
        out.text = content.data();
        out.length = static_cast<uint32_t>(content.size());
    } else if (first == 't' || first == 'f') {
        at = literal(text, at, first == 't' ? "true" : "false");
        out.kind = SLUICE_JSON_BOOL;
        out.boolean = first == 't';
    } else if (first == 'n') {
        out.kind = SLUICE_JSON_NULL;
        at = literal(text, at, "null");
    } else if (first == '{' || first == '[') {
        if (depth == depth_max) return fail(simdjson::DEPTH_ERROR);
        out.kind = SLUICE_JSON_CONTAINER;
        return first == '{' ? object(text, at, node, depth + 1) : array(text, at, node, depth + 1);
    } else {
        return fail(simdjson::TAPE_ERROR);
    }
    if (node != nullptr && !node->children.empty()) {
        // Nothing is misplaced below a null.
        if (first != 'n') trie.mark_below(*node, SLUICE_JSON_MISPLACED);
        if (layout != nullptr) layout->refuse();
    }
    if (layout != nullptr && at != nullptr) {
        uint32_t end = *at;
        while (is_space(text[end - 1])) end--;
        layout->add(start, end, node != nullptr ? node->slot : -1);
    }
    return at;
}

error_code sluice_json_parser::grow(size_t count) {
    size_t larger = std::max(capacity_min, capacity);
    while (larger < count) larger *= 2;
    buffer.reset(new char[larger + padding]);
    unescaped.reset(new uint8_t[larger + simdjson::SIMDJSON_PADDING]);
    SIMDJSON_TRY(simdjson::get_active_implementation()->create_dom_parser_implementation(larger, depth_max, tokens));
    capacity = larger;
    return simdjson::SUCCESS;
}

error_code sluice_json_parser::parse(const void *bytes, size_t count) {
    if (count == 0) return simdjson::EMPTY;
    if (count > capacity) SIMDJSON_TRY(grow(count));
    std::memcpy(buffer.get(), bytes, count);
    std::memset(buffer.get() + count, 0, simdjson::SIMDJSON_PADDING);
    if (layouts.read(buffer.get(), count, trie.results.data())) return copy_results();
    layout = layouts.learn();
    auto *input = reinterpret_cast<const uint8_t *>(buffer.get());
    SIMDJSON_TRY(tokens->stage1(input, count, simdjson::stage1_mode::regular));

    unescaped_end = unescaped.get();
    document++;
    for (sluice_json_value &result : trie.results) result.kind = SLUICE_JSON_MISSING;
    Token start = tokens->structural_indexes.get();
    if (buffer[*start] != '{' && buffer[*start] != '[') return simdjson::INCORRECT_TYPE;
    Token end = value(buffer.get(), start, &trie.root, 0);
    if (end == nullptr) return error;
    if (end != start + tokens->n_structural_indexes) return simdjson::TRAILING_CONTENT;
    if (layout != nullptr) layouts.finish(buffer.get(), count, trie.results);
    return copy_results();
}

sluice_json_parser *sluice_json_parser_create(
    const char *const *pointers, const size_t *lengths, size_t count, size_t *invalid) {
    *invalid = count;
    try {
        auto parser = std::make_unique<sluice_json_parser>();
        parser->trie.results.resize(count);
        for (size_t i = 0; i < count; i++) {
            if (!parser->trie.add({pointers[i], lengths[i]}, static_cast<int32_t>(i))) {
                *invalid = i;
                return nullptr;
            }
            parser->padding = std::max(parser->padding, lengths[i] + 8);
        }
        parser->trie.finish();
        return parser.release();
    } catch (...) {
        return nullptr;
    }
}

void sluice_json_parser_destroy(sluice_json_parser *parser) { delete parser; }

const char *sluice_json_parse(sluice_json_parser *parser, const void *bytes, size_t count) {
    try {
        error_code error = parser->parse(bytes, count);
        if (error == simdjson::SUCCESS) return nullptr;
        if (error == simdjson::INCORRECT_TYPE) return "the document is neither an object nor an array";
        return simdjson::error_message(error);
    } catch (...) {
        return "out of memory";
    }
}

const sluice_json_value *sluice_json_values(const sluice_json_parser *parser) { return parser->trie.results.data(); }
