// TorchScript behind a C interface: libtorch has only a C++ one, which differs from version to version. TorchLibrary.cs compiles
// this on the machine it runs on and is the other side, name for name. No exception crosses: a call that fails gives null or
// a number below 0, and mr_torch_error tells why, on the thread that called.
#include <ATen/Parallel.h>
#include <torch/script.h>
#include <torch/version.h>

#include <cstdint>
#include <cstring>
#include <sstream>
#include <string>
#include <vector>

#define EXPORT extern "C" __attribute__((visibility("default")))

namespace {

thread_local std::string error;

struct Results {
  std::vector<at::Tensor> tensors;
};

struct Model {
  torch::jit::Module module;
  std::vector<std::string> names;
  int64_t required = 0;
  int64_t results = 0;
};

template <typename T, typename F>
T guarded(T failed, F body) {
  try {
    error.clear();
    return body();
  } catch (const c10::Error& e) {
    error = e.what_without_backtrace();
  } catch (const std::exception& e) {
    error = e.what();
  } catch (...) {
    error = "an exception of an unknown type";
  }
  if (error.empty()) error = "an exception without a message";
  return failed;
}

using Kind = c10::TypeKind;

// What a model gives, however it is nested: tensors, depth first. -1: how many is known when it has run.
int64_t count(const c10::TypePtr& type) {
  switch (type->kind()) {
    case Kind::TensorType: return 1;
    case Kind::ListType: count(type->containedTypes()[0]); return -1;
    case Kind::OptionalType: case Kind::UnionType: case Kind::AnyType: return -1;
    case Kind::TupleType: break;
    default: throw std::runtime_error("the model gives a value of type " + type->annotation_str() + ", which is no tensor, tuple or list");
  }
  int64_t total = 0;
  for (const auto& part : type->containedTypes()) {
    const auto parts = count(part);
    total = parts < 0 || total < 0 ? -1 : total + parts;
  }
  return total;
}

// What an input must be: a tensor, or a number, which comes as a tensor without sizes.
c10::TypePtr wanted(const c10::Argument& argument) {
  const auto& type = argument.type();
  return type->kind() == Kind::OptionalType ? type->containedTypes()[0] : type;
}

bool fits(const c10::TypePtr& type) {
  return type->kind() == Kind::TensorType || type->kind() == Kind::FloatType || type->kind() == Kind::IntType ||
         type->kind() == Kind::BoolType;
}

void flatten(const torch::IValue& value, std::vector<at::Tensor>& into) {
  if (value.isTensor()) {
    into.push_back(value.toTensor().detach().to(at::kCPU).contiguous());
  } else if (value.isTuple()) {
    for (const auto& part : value.toTupleRef().elements()) flatten(part, into);
  } else if (value.isList()) {
    for (const auto& part : value.toListRef()) flatten(part, into);
  } else {
    throw std::runtime_error("the model gives a value of type " + value.tagKind() + ", which is no tensor, tuple or list");
  }
}

}  // namespace

EXPORT const char* mr_torch_version() { return TORCH_VERSION; }

EXPORT const char* mr_torch_error() { return error.c_str(); }

EXPORT int32_t mr_torch_threads(int32_t threads) {
  return guarded(-1, [&] {
    at::set_num_threads(threads);
    return 0;
  });
}

EXPORT Model* mr_torch_load(const char* bytes, int64_t length) {
  return guarded<Model*>(nullptr, [&] {
    std::istringstream stream(std::string(bytes, static_cast<size_t>(length)));
    auto model = std::make_unique<Model>();
    model->module = torch::jit::load(stream, at::kCPU);
    model->module.eval();
    const auto& schema = model->module.get_method("forward").function().getSchema();
    for (size_t i = 1; i < schema.arguments().size(); i++) {
      const auto& argument = schema.arguments()[i];
      model->names.push_back(argument.name());
      if (argument.default_value()) continue;
      model->required = static_cast<int64_t>(i);
      if (fits(wanted(argument))) continue;
      throw std::runtime_error("the model's input " + argument.name() + " is of type " + argument.type()->annotation_str() +
                               ", which is no tensor or number");
    }
    for (const auto& result : schema.returns()) {
      const auto results = count(result.type());
      model->results = results < 0 || model->results < 0 ? -1 : model->results + results;
    }
    return model.release();
  });
}

EXPORT void mr_torch_unload(Model* model) { delete model; }

EXPORT int64_t mr_torch_inputs(Model* model) { return static_cast<int64_t>(model->names.size()); }

EXPORT int64_t mr_torch_required(Model* model) { return model->required; }

EXPORT int64_t mr_torch_outputs(Model* model) { return model->results; }

EXPORT const char* mr_torch_input_name(Model* model, int64_t index) { return model->names[static_cast<size_t>(index)].c_str(); }

// The bytes of the inputs are read until this returns.
EXPORT Results* mr_torch_run(
    Model* model, int64_t inputs, const int32_t* types, const int32_t* ranks, const int64_t* sizes, void* const* data) {
  return guarded<Results*>(nullptr, [&] {
    torch::NoGradGuard no_grad;
    const auto& arguments = model->module.get_method("forward").function().getSchema().arguments();
    std::vector<torch::IValue> stack;
    for (int64_t i = 0; i < inputs; i++) {
      const std::vector<int64_t> shape(sizes, sizes + ranks[i]);
      sizes += ranks[i];
      // Copied: an empty tensor has no bytes to point at, and a script may write to its inputs.
      auto tensor = at::from_blob(data[i], shape, at::TensorOptions().dtype(static_cast<at::ScalarType>(types[i]))).clone();
      const auto kind = wanted(arguments.at(static_cast<size_t>(i) + 1))->kind();
      if (kind == Kind::FloatType) stack.emplace_back(tensor.item<double>());
      else if (kind == Kind::IntType) stack.emplace_back(tensor.item<int64_t>());
      else if (kind == Kind::BoolType) stack.emplace_back(tensor.item<bool>());
      else stack.emplace_back(tensor);
    }
    auto results = std::make_unique<Results>();
    flatten(model->module.forward(std::move(stack)), results->tensors);
    return results.release();
  });
}

EXPORT void mr_torch_free(Results* results) { delete results; }

EXPORT int64_t mr_torch_count(Results* results) { return static_cast<int64_t>(results->tensors.size()); }

EXPORT int32_t mr_torch_type(Results* results, int64_t index) {
  return static_cast<int32_t>(results->tensors[static_cast<size_t>(index)].scalar_type());
}

EXPORT int64_t mr_torch_rank(Results* results, int64_t index) { return results->tensors[static_cast<size_t>(index)].dim(); }

EXPORT int64_t mr_torch_size(Results* results, int64_t index, int64_t axis) {
  return results->tensors[static_cast<size_t>(index)].size(axis);
}

EXPORT void mr_torch_copy(Results* results, int64_t index, void* to, int64_t bytes) {
  std::memcpy(to, results->tensors[static_cast<size_t>(index)].data_ptr(), static_cast<size_t>(bytes));
}
