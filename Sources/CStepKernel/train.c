// The workspace of training, packing, and the exported functions.
#include "train.h"

#include <stdatomic.h>
#include <string.h>

static const sluice_train_kernel *train_kernel(sluice_isa isa) {
#if defined(__x86_64__)
    if (isa == SLUICE_ISA_AVX512 || isa == SLUICE_ISA_ZNVER4) return &sluice_train_avx512;
    if (isa == SLUICE_ISA_AVX2) return &sluice_train_avx2;
    return &sluice_train_baseline;
#elif defined(__aarch64__)
    (void)isa;
    return &sluice_train_neon;
#else
    (void)isa;
    return &sluice_train_baseline;
#endif
}

/// R = 7 modulo 64: blocks of a row, read together, must not fall into the same set of the cache.
size_t sluice_train_stride(const sluice_train *n) {
    return (n->rows_max + n->steps_max + 56) / 64 * 64 + 7;
}

static size_t layer_inputs_of(const sluice_train *n, size_t layer) {
    return layer == 0 ? n->inputs : n->hidden;
}

/// Floats of a layer's matrices with an R row.
static size_t rounded(size_t floats) {
    return (floats + 15) / 16 * 16;
}
static size_t weight_floats(const sluice_train *n, size_t layer) {
    return blocks_of(n->hidden) * (1 + layer_inputs_of(n, layer) + n->hidden) * GATES * UNIT_BLOCK;
}
static size_t transposed_floats(const sluice_train *n, size_t layer) {
    size_t blocks = blocks_of(n->hidden);
    return (layer == 0 ? 1 : 2) * blocks * blocks * GATES * UNIT_BLOCK * UNIT_BLOCK;
}
static size_t matrix_floats(const sluice_train *n) {
    return blocks_of(n->hidden) * sluice_train_stride(n) * UNIT_BLOCK;
}
static size_t layer_floats(const sluice_train *n, size_t layer) {
    return weight_floats(n, layer) + transposed_floats(n, layer) + (GATES + 4) * matrix_floats(n) +
           blocks_of(n->hidden) * n->rows_max * UNIT_BLOCK + (n->may_drop ? 2 * matrix_floats(n) : 0);
}
static float *layer_memory(const sluice_train *n, size_t layer) {
    float *memory = n->memory + blocks_of(n->inputs) * sluice_train_stride(n) * UNIT_BLOCK;
    for (size_t l = 0; l < layer; l++) memory += layer_floats(n, l);
    return memory;
}

float *train_dropped(const sluice_train *n, size_t layer) {
    return layer_memory(n, layer + 1) - matrix_floats(n);
}
float *sluice_train_mask(const sluice_train *n, size_t layer) {
    return train_dropped(n, layer) - matrix_floats(n);
}

TrainLayer train_layer(const sluice_train *n, size_t layer) {
    float *memory = layer_memory(n, layer);
    TrainLayer l = {.inputs = layer_inputs_of(n, layer), .blocks = blocks_of(n->hidden)};
    l.input_blocks = blocks_of(l.inputs);
    l.x = layer == 0 ? n->memory : n->drops ? train_dropped(n, layer - 1) : sluice_train_h(n, layer - 1);
    l.weights = memory;
    l.transposed = memory += weight_floats(n, layer);
    l.gates = memory += transposed_floats(n, layer);
    l.h = memory += GATES * matrix_floats(n);
    l.c = memory += matrix_floats(n);
    l.tanh_c = memory += matrix_floats(n);
    l.dh = memory += matrix_floats(n);
    l.dc = memory + matrix_floats(n);
    return l;
}

// After the layers: head weights [O][U][16], head bias [O], outputs, their gradient, scratch of each thread.
float *train_head(const sluice_train *n) {
    return layer_memory(n, n->layers);
}
static size_t head_floats(const sluice_train *n) {
    return rounded(n->outputs * (1 + blocks_of(n->hidden) * UNIT_BLOCK));
}
float *sluice_train_inputs(const sluice_train *n) {
    return n->memory;
}
float *sluice_train_h(const sluice_train *n, size_t layer) {
    return layer_memory(n, layer) + weight_floats(n, layer) + transposed_floats(n, layer) + GATES * matrix_floats(n);
}
float *sluice_train_c(const sluice_train *n, size_t layer) {
    return train_layer(n, layer).c;
}
float *sluice_train_h_gradient(const sluice_train *n, size_t layer) {
    return train_layer(n, layer).dh;
}
float *sluice_train_c_gradient(const sluice_train *n, size_t layer) {
    return train_layer(n, layer).dc;
}
float *sluice_train_outputs(const sluice_train *n) {
    return train_head(n) + head_floats(n);
}
float *sluice_train_output_gradient(const sluice_train *n) {
    return sluice_train_outputs(n) + rounded(n->outputs * n->steps_max);
}
static float *scratch(const sluice_train *n, size_t part) {
    return sluice_train_output_gradient(n) + rounded(n->outputs * n->steps_max) + part * train_scratch(n);
}
size_t sluice_train_floats(const sluice_train *n) {
    return (size_t)(scratch(n, n->threads) - n->memory);
}

/// Below this many multiplications of a pass a single thread is done before others have woken.
static const double WORTH_SHARING = 1e6;

typedef struct {
    const sluice_train *n;
    const sluice_train_kernel *kernel;
    size_t parts;
    size_t layer_start[8]; // of each layer's parameters, then the head's
    const float *parameters;
    float *gradient;
    _Atomic size_t next; // item of work
} Pass;

static Pass make_pass(const sluice_train *n, sluice_isa isa, sluice_team *team, const float *parameters,
                      float *gradient) {
    Pass pass = {.n = n, .kernel = train_kernel(isa), .parts = 1, .parameters = parameters, .gradient = gradient};
    double products = 0;
    for (size_t l = 0; l < n->layers; l++) {
        size_t inputs = layer_inputs_of(n, l), weights = GATES * n->hidden * (inputs + n->hidden);
        pass.layer_start[l + 1] = pass.layer_start[l] + weights + 2 * GATES * n->hidden;
        products += (double)weights * (double)train_count(n);
    }
    if (team && products >= WORTH_SHARING) pass.parts = sluice_team_threads(team);
    return pass;
}

static void run(Pass *pass, sluice_team *team, void (*body)(void *, size_t)) {
    atomic_store_explicit(&pass->next, 0, memory_order_relaxed);
    if (pass->parts > 1) sluice_team_run(team, body, pass);
    else body(pass, 0);
}

/// The first row of a part, such that the parts before it hold their share of all packed rows.
static size_t first_row(const Pass *pass, size_t part) {
    const sluice_train *n = pass->n;
    size_t row = 0, length = n->steps, sum = 0, share = train_count(n) * part / pass->parts;
    if (part == pass->parts) return n->rows;
    for (; row < n->rows; row++) {
        while (length > 0 && n->active[length - 1] <= row) length--;
        if (sum + length / 2 >= share) break;
        sum += length;
    }
    return row;
}

/// One block of 16 units of one layer: both of its packings.
static void pack_block(const Pass *pass, size_t layer, size_t block) {
    const sluice_train *n = pass->n;
    const TrainLayer l = train_layer(n, layer);
    const size_t hidden = n->hidden, gates = GATES * hidden, rows_k = 1 + l.inputs + hidden;
    const float *weight_ih = pass->parameters + pass->layer_start[layer], *weight_hh = weight_ih + gates * l.inputs;
    const float *bias_ih = weight_hh + gates * hidden, *bias_hh = bias_ih + gates;
    float *packed = (float *)l.weights + block * rows_k * GATES * UNIT_BLOCK;
    for (size_t m = 0; m < GATES * UNIT_BLOCK; m++) {
        const size_t unit = block * UNIT_BLOCK + m % UNIT_BLOCK, row = m / UNIT_BLOCK * hidden + unit;
        if (unit >= hidden) continue;
        float *to = packed + m;
        to[0] = bias_ih[row] + bias_hh[row];
        to += GATES * UNIT_BLOCK;
        for (size_t k = 0; k < l.inputs; k++, to += GATES * UNIT_BLOCK) *to = weight_ih[row * l.inputs + k];
        for (size_t k = 0; k < hidden; k++, to += GATES * UNIT_BLOCK) *to = weight_hh[row * hidden + k];
    }
    for (size_t column = 0; column < (layer == 0 ? 1 : 2) * l.blocks; column++) {
        const size_t first = column % l.blocks * UNIT_BLOCK;
        const size_t width = hidden - first < UNIT_BLOCK ? hidden - first : UNIT_BLOCK;
        const float *weights = (column < l.blocks ? weight_hh : weight_ih) + first;
        float *to = (float *)l.transposed + (column * l.blocks + block) * GATES * UNIT_BLOCK * UNIT_BLOCK;
        for (size_t m = 0; m < GATES * UNIT_BLOCK; m++, to += UNIT_BLOCK) {
            const size_t unit = block * UNIT_BLOCK + m % UNIT_BLOCK;
            if (unit < hidden)
                memcpy(to, weights + (m / UNIT_BLOCK * hidden + unit) * hidden, width * sizeof(float));
        }
    }
}

static void pack_head(const Pass *pass) {
    const sluice_train *n = pass->n;
    const float *from = pass->parameters + pass->layer_start[n->layers];
    const size_t width = blocks_of(n->hidden) * UNIT_BLOCK;
    float *to = train_head(n);
    for (size_t o = 0; o < n->outputs; o++) memcpy(to + o * width, from + o * n->hidden, n->hidden * sizeof(float));
    memcpy(to + n->outputs * width, from + n->outputs * n->hidden, n->outputs * sizeof(float));
}

static void pack_part(void *context, size_t part) {
    Pass *pass = context;
    const size_t blocks = blocks_of(pass->n->hidden);
    if (part == 0) pack_head(pass);
    for (size_t item; (item = atomic_fetch_add(&pass->next, 1)) < pass->n->layers * blocks;)
        pack_block(pass, item / blocks, item % blocks);
}

static void forward_part(void *context, size_t part) {
    Pass *pass = context;
    const size_t first = first_row(pass, part), last = first_row(pass, part + 1);
    if (first < last) pass->kernel->forward(pass->n, first, last);
}

static void backward_part(void *context, size_t part) {
    Pass *pass = context;
    const size_t first = first_row(pass, part), last = first_row(pass, part + 1);
    if (first < last) pass->kernel->backward(pass->n, first, last);
}

static void weights_part(void *context, size_t part) {
    Pass *pass = context;
    const sluice_train *n = pass->n;
    const size_t blocks = blocks_of(n->hidden);
    for (size_t item; (item = atomic_fetch_add(&pass->next, 1)) < (n->layers + 1) * blocks;) {
        // The largest items first; the head's are small.
        const size_t layer = item < n->layers * blocks ? n->layers - 1 - item / blocks : n->layers;
        pass->kernel->weights(n, layer, item % blocks, scratch(n, part), pass->gradient + pass->layer_start[layer]);
    }
}

void sluice_train_forward(const sluice_train *n, sluice_isa isa, sluice_team *team, const float *parameters) {
    Pass pass = make_pass(n, isa, team, parameters, NULL);
    run(&pass, team, pack_part);
    run(&pass, team, forward_part);
}

void sluice_train_backward(const sluice_train *n, sluice_isa isa, sluice_team *team, const float *parameters,
                           float *gradient) {
    Pass pass = make_pass(n, isa, team, parameters, gradient);
    run(&pass, team, backward_part);
    run(&pass, team, weights_part);
}
