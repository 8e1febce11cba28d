// oneDNN's LSTM primitive alone: forward for training, and backward. No readout, loss, update or repacking of weights, which
// makes it a bound for what others could reach rather than a training step. Answers the requests of ../protocol.ts.

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <ctime>
#include <functional>
#include <iostream>
#include <memory>
#include <oneapi/dnnl/dnnl.hpp>
#include <string>
#include <unordered_map>
#include <vector>

using namespace dnnl;
using dims = memory::dims;
using tag = memory::format_tag;
constexpr auto f32 = memory::data_type::f32;

static double now() {
    using namespace std::chrono;
    return duration<double, std::milli>(steady_clock::now().time_since_epoch()).count();
}

static double processorTime() {
    timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return t.tv_sec * 1e3 + t.tv_nsec / 1e6;
}

// The value after "name": in a line of JSON, as text.
static std::string field(const std::string &line, const std::string &name) {
    const auto at = line.find("\"" + name + "\":");
    if (at == std::string::npos) return "";
    const auto start = at + name.size() + 3;
    const auto value = line.substr(start, line.find_first_of(",}", start) - start);
    return value.front() == '"' ? value.substr(1, value.size() - 2) : value;
}

class Lstm {
public:
    Lstm(long layers, long time, long batch, long input, long hidden) {
        const dims x{time, batch, input}, state{layers, 1, batch, hidden}, y{time, batch, hidden};
        const dims weightsIn{layers, 1, input, 4, hidden}, weightsRec{layers, 1, hidden, 4, hidden}, bias{layers, 1, 4, hidden};
        const auto any = [](const dims &d) { return memory::desc(d, f32, tag::any); };
        const auto plain = [](const dims &d, tag t) { return memory::desc(d, f32, t); };
        const auto direction = rnn_direction::unidirectional_left2right;
        const auto xs = plain(x, tag::tnc), hs = plain(state, tag::ldnc), ys = plain(y, tag::tnc);
        const auto b = plain(bias, tag::ldgo);

        const lstm_forward::primitive_desc forward(
            {prop_kind::forward_training, direction, xs, hs, hs, any(weightsIn), any(weightsRec), b, ys, hs, hs}, engine_);
        const lstm_backward::primitive_desc backward(
            {prop_kind::backward, direction, xs, hs, hs, any(weightsIn), any(weightsRec), b, ys, hs, hs,
             xs, hs, hs, any(weightsIn), any(weightsRec), b, ys, hs, hs},
            engine_, forward);

        const float scale = 1 / std::sqrt(float(hidden));
        const auto workspace = filled(forward.workspace_desc(), 0);
        const std::unordered_map<int, memory> shared{
            {DNNL_ARG_SRC_LAYER, filled(xs, 1)}, {DNNL_ARG_SRC_ITER, filled(hs, 0)}, {DNNL_ARG_SRC_ITER_C, filled(hs, 0)},
            {DNNL_ARG_BIAS, filled(b, scale)}, {DNNL_ARG_DST_LAYER, filled(ys, 0)}, {DNNL_ARG_DST_ITER, filled(hs, 0)},
            {DNNL_ARG_DST_ITER_C, filled(hs, 0)}, {DNNL_ARG_WORKSPACE, workspace}};
        forwardArgs_ = backwardArgs_ = shared;
        forwardArgs_[DNNL_ARG_WEIGHTS_LAYER] = filled(forward.weights_layer_desc(), scale);
        forwardArgs_[DNNL_ARG_WEIGHTS_ITER] = filled(forward.weights_iter_desc(), scale);
        backwardArgs_[DNNL_ARG_WEIGHTS_LAYER] = filled(backward.weights_layer_desc(), scale);
        backwardArgs_[DNNL_ARG_WEIGHTS_ITER] = filled(backward.weights_iter_desc(), scale);
        backwardArgs_.insert({{DNNL_ARG_DIFF_SRC_LAYER, filled(xs, 0)}, {DNNL_ARG_DIFF_SRC_ITER, filled(hs, 0)},
            {DNNL_ARG_DIFF_SRC_ITER_C, filled(hs, 0)}, {DNNL_ARG_DIFF_BIAS, filled(b, 0)},
            {DNNL_ARG_DIFF_WEIGHTS_LAYER, filled(backward.diff_weights_layer_desc(), 0)},
            {DNNL_ARG_DIFF_WEIGHTS_ITER, filled(backward.diff_weights_iter_desc(), 0)},
            {DNNL_ARG_DIFF_DST_LAYER, filled(ys, 1e-3f)}, {DNNL_ARG_DIFF_DST_ITER, filled(hs, 0)},
            {DNNL_ARG_DIFF_DST_ITER_C, filled(hs, 0)}});
        forward_ = lstm_forward(forward);
        backward_ = lstm_backward(backward);
    }

    void run() {
        // The backward primitive adds to the gradients that it finds.
        for (const int name : {DNNL_ARG_DIFF_WEIGHTS_LAYER, DNNL_ARG_DIFF_WEIGHTS_ITER, DNNL_ARG_DIFF_BIAS}) {
            const memory &gradient = backwardArgs_.at(name);
            std::fill_n(static_cast<char *>(gradient.get_data_handle()), gradient.get_desc().get_size(), 0);
        }
        forward_.execute(stream_, forwardArgs_);
        backward_.execute(stream_, backwardArgs_);
        stream_.wait();
    }

private:
    // Memory of this form with numbers in [-scale, scale); packed formats take any.
    memory filled(const memory::desc &form, float scale) {
        memory made(form, engine_);
        auto *bytes = static_cast<char *>(made.get_data_handle());
        std::fill_n(bytes, form.get_size(), 0);
        if (scale == 0) return made;
        if (form.data.format_kind == dnnl_format_kind_rnn_packed) return packed(form, scale);
        auto *values = reinterpret_cast<float *>(bytes);
        uint32_t bits = 1;
        for (size_t k = 0; k < form.get_size() / sizeof(float); k++) {
            bits = bits * 1664525u + 1013904223u;
            values[k] = (float(bits >> 8) / float(1 << 23) - 1) * scale;
        }
        return made;
    }

    memory packed(const memory::desc &form, float scale) {
        const memory source = filled(memory::desc(form.dims(), f32, tag::ldigo), scale);
        memory made(form, engine_);
        reorder(source, made).execute(stream_, const_cast<memory &>(source), made);
        stream_.wait();
        return made;
    }

    engine engine_{engine::kind::cpu, 0};
    stream stream_{engine_};
    lstm_forward forward_;
    lstm_backward backward_;
    std::unordered_map<int, memory> forwardArgs_, backwardArgs_;
};

// One primitive holds all layers, if they have one input size.
static std::unique_ptr<Lstm> build(const std::string &line) {
    const auto number = [&](const char *name) { return std::stol(field(line, name)); };
    const long layers = number("layers"), input = number("inputSize"), hidden = number("hiddenSize");
    if (layers > 1 && input != hidden) return nullptr;
    return std::make_unique<Lstm>(layers, number("time"), number("batch"), input, hidden);
}

int main() {
    std::unique_ptr<Lstm> lstm;
    double msPerCall = 1;
    for (std::string line; std::getline(std::cin, line);) {
        if (const auto wanted = field(line, "measure"); !wanted.empty()) {
            const long calls = std::max(1L, std::lround(5 / msPerCall));
            const double end = now() + std::stod(wanted);
            std::string samples;
            do {
                const double cpu = processorTime(), wall = now();
                for (long k = 0; k < calls; k++) lstm->run();
                char sample[100];
                const double elapsed = now() - wall, used = processorTime() - cpu;
                std::snprintf(sample, sizeof sample, "%s{\"wall\":%.6f,\"cpu\":%.6f}", samples.empty() ? "" : ",", elapsed / calls, used / calls);
                samples += sample;
            } while (now() < end);
            std::cout << "{\"samples\":[" << samples << "]}" << std::endl;
            continue;
        }
        const double start = now();
        if (field(line, "kind") == "train" && field(line, "cell") == "lstm") lstm = build(line);
        if (!lstm) {
            std::cout << "{\"unable\":\"only the training of equal LSTM layers is written for it\"}" << std::endl;
        } else {
            lstm->run();
            const double first = now() - start, end = now() + std::stod(field(line, "warmUpMs"));
            do {
                const double before = now();
                lstm->run();
                msPerCall = now() - before;
            } while (now() < end);
            std::cout << "{\"ready\":true,\"firstCallMs\":" << first << ",\"compileMs\":null,\"check\":[],\"variant\":\"LSTM primitive alone\"}" << std::endl;
        }
    }
}
