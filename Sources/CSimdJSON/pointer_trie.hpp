// JSON pointers compiled into a trie, and the results they lead to.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "simdjson_shim.h"

namespace sluice {

// Up to eight bytes as one word, the rest of it zero. Reads eight bytes in any case.
inline uint64_t first_bytes(const char *text, size_t length) noexcept {
    uint64_t word;
    std::memcpy(&word, text, 8);
    static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__);
    return length >= 8 ? word : word & ((uint64_t(1) << (8 * length)) - 1);
}

struct Node {
    std::string name;          // unescaped reference token
    uint64_t head = 0;         // its first bytes
    uint64_t head_mask = 0;    // which of eight they are
    bool plain = true;         // a key can be compared as it stands in the document
    int64_t index = -1;        // the token as an array index, -1 if it is none
    int32_t slot = -1;         // result, -1 where no pointer ends
    uint32_t expected = 0;     // the child whose key is expected next
    uint64_t document = 0;     // the last document that had this value
    std::vector<Node> children;
    std::vector<uint32_t> elements;  // the children whose tokens are indices, by index
    // Where there are more children than are looked through one by one; names are those of `children`.
    std::unordered_map<std::string_view, uint32_t> by_name;

    // The child of that name, as a place among the children; their number for none.
    size_t child(std::string_view key) const {
        if (!by_name.empty()) {
            auto found = by_name.find(key);
            return found == by_name.end() ? children.size() : found->second;
        }
        size_t place = 0;
        while (place < children.size() && children[place].name != key) place++;
        return place;
    }

    // Whether the text is this name and a closing quote. Reads eight bytes or the name's length and one.
    bool is_quoted_at(const char *text) const noexcept {
        uint64_t word;
        std::memcpy(&word, text, 8);
        if ((word & head_mask) != head || !plain) return false;
        if (name.size() > 8 && std::memcmp(text + 8, name.data() + 8, name.size() - 8) != 0) return false;
        return text[name.size()] == '"';
    }
};

class PointerTrie {
public:
    Node root;
    std::vector<sluice_json_value> results;
    std::vector<std::pair<int32_t, int32_t>> copies;  // of pointers given twice: from, to

    // False when the pointer is malformed.
    bool add(std::string_view pointer, int32_t slot);
    // Behind the last pointer: nodes do not move any more.
    void finish() { finish(root); }
    // Sets all results below a node, itself not included.
    void mark_below(const Node &node, sluice_json_kind kind) noexcept;

private:
    static void finish(Node &node);
};

}  // namespace sluice
