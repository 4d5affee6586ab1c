// CUB at the benchmark's work: `cub op type n seconds in out`. Prints the seconds of single samples: resident ("gpu"), and with copies to and
// from the device ("host").

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <string>
#include <vector>

#include <cub/cub.cuh>
#include <thrust/execution_policy.h>
#include <thrust/inner_product.h>
#include <thrust/transform.h>

#define CHECK(call)                                                                       \
    do {                                                                                  \
        cudaError_t error = (call);                                                       \
        if (error != cudaSuccess) {                                                       \
            std::fprintf(stderr, "%s\n", cudaGetErrorString(error));                      \
            std::exit(1);                                                                 \
        }                                                                                 \
    } while (0)

struct Below {
    __device__ bool operator()(uint32_t key) const { return key < (1u << 31); }
};

struct Triad {
    __device__ float operator()(float x, float y) const { return x + 0.4f * y; }
};

static double now() {
    return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

int main(int argc, char** argv) {
    if (argc != 7) return 2;
    int devices = 0;
    const cudaError_t found = cudaGetDeviceCount(&devices);
    if (found != cudaSuccess || devices == 0) {
        std::printf("{\"not_run\":\"no CUDA device: %s\"}\n", found == cudaSuccess ? "none is there" : cudaGetErrorString(found));
        return 0;
    }
    const std::string op = argv[1], ty = argv[2];
    const int n = std::atoi(argv[3]);
    const double budget = std::atof(argv[4]);
    std::vector<uint32_t> host(2 * size_t(n)), out(2 * size_t(n) + 256);
    std::ifstream source(argv[5], std::ios::binary);
    source.read(reinterpret_cast<char*>(host.data()), host.size() * 4);
    const size_t read = source.gcount();

    uint32_t *x, *y, *a, *b, *count;
    CHECK(cudaMalloc(&x, size_t(n) * 4));
    CHECK(cudaMalloc(&y, size_t(n) * 4));
    CHECK(cudaMalloc(&a, (size_t(n) + 256) * 4));
    CHECK(cudaMalloc(&b, size_t(n) * 4));
    CHECK(cudaMalloc(&count, 4));
    void* scratch = nullptr;
    size_t bytes = 0;
    size_t words = n;
    auto *fx = reinterpret_cast<float*>(x), *fy = reinterpret_cast<float*>(y), *fa = reinterpret_cast<float*>(a);

    // With no scratch memory each call of CUB says how much it needs.
    std::function<void()> work;
    if (op == "triad") {
        work = [&] { thrust::transform(thrust::device, fx, fx + n, fy, fa, Triad()); };
    } else if (op == "dot") {
        words = 1;
        work = [&] {
            float sum = thrust::inner_product(thrust::device, fx, fx + n, fy, 0.0f);
            CHECK(cudaMemcpy(a, &sum, 4, cudaMemcpyHostToDevice));
        };
    } else if (op == "reduce_sum" && ty == "f32") {
        words = 1;
        work = [&] { CHECK(cub::DeviceReduce::Sum(scratch, bytes, fx, fa, n)); };
    } else if (op == "reduce_sum") {
        words = 1;
        work = [&] { CHECK(cub::DeviceReduce::Sum(scratch, bytes, x, a, n)); };
    } else if (op == "scan_inclusive_sum") {
        work = [&] { CHECK(cub::DeviceScan::InclusiveSum(scratch, bytes, x, a, n)); };
    } else if (op == "histogram") {
        words = 256;
        work = [&] { CHECK(cub::DeviceHistogram::HistogramEven(scratch, bytes, x, a, 257, 0u, 256u, n)); };
    } else if (op == "filter") {
        work = [&] { CHECK(cub::DeviceSelect::If(scratch, bytes, x, a, count, n, Below())); };
    } else if (op == "sort_keys") {
        work = [&] { CHECK(cub::DeviceRadixSort::SortKeys(scratch, bytes, x, a, n)); };
    } else if (op == "sort_pairs") {
        work = [&] { CHECK(cub::DeviceRadixSort::SortPairs(scratch, bytes, x, a, y, b, n)); };
    } else {
        std::printf("{\"not_run\":\"it has no such operation\"}\n");
        return 0;
    }

    auto upload = [&] {
        CHECK(cudaMemcpy(x, host.data(), size_t(n) * 4, cudaMemcpyHostToDevice));
        if (read > size_t(n) * 4) CHECK(cudaMemcpy(y, host.data() + n, size_t(n) * 4, cudaMemcpyHostToDevice));
    };
    auto download = [&] {
        if (op == "filter") {
            uint32_t kept;
            CHECK(cudaMemcpy(&kept, count, 4, cudaMemcpyDeviceToHost));
            words = kept;
        }
        CHECK(cudaMemcpy(out.data(), a, words * 4, cudaMemcpyDeviceToHost));
        if (op == "sort_pairs") CHECK(cudaMemcpy(out.data() + n, b, size_t(n) * 4, cudaMemcpyDeviceToHost));
    };
    upload();
    if (op != "triad" && op != "dot") {
        work();
        CHECK(cudaMalloc(&scratch, bytes > 0 ? bytes : 1));
    }
    work();
    CHECK(cudaDeviceSynchronize());
    download();
    std::ofstream target(argv[6], std::ios::binary);
    target.write(reinterpret_cast<char*>(out.data()), (op == "sort_pairs" ? 2 * size_t(n) : words) * 4);

    auto sample = [&](const char* name, const std::function<void()>& once) {
        double begun = now();
        once();
        CHECK(cudaDeviceSynchronize());
        const int each = std::max(1, int(2e-3 / (now() - begun)));
        std::vector<double> samples;
        const double began = now();
        while (samples.size() < 7 || (samples.size() < 60 && now() - began < budget)) {
            begun = now();
            for (int i = 0; i < each; i++) once();
            CHECK(cudaDeviceSynchronize());
            samples.push_back((now() - begun) / each);
        }
        std::printf("\"%s\":[", name);
        for (size_t i = 0; i < samples.size(); i++) std::printf("%s%.9g", i ? "," : "", samples[i]);
        std::printf("]");
    };
    std::printf("{");
    sample("gpu", work);
    std::printf(",");
    sample("host", [&] { upload(); work(); download(); });
    std::printf("}\n");
}
