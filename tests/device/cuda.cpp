// A pretended CUDA device: the host's memory and the CPU's kernels at PyTorch's CUDA dispatch key,
// which a CPU-only build leaves empty. pretended.py compiles it, and says what it can show.

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <ATen/EmptyTensor.h>
#include <ATen/native/SparseTensorUtils.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/detail/CUDAHooksInterface.h>
#include <c10/core/CPUAllocator.h>
#include <c10/core/impl/DeviceGuardImplInterface.h>
#include <torch/library.h>

#include <atomic>
#include <set>

namespace {

using at::Tensor;
using c10::Device, c10::DeviceIndex, c10::DispatchKey, c10::DispatchKeySet, c10::Stream;

constexpr auto CUDA = c10::DeviceType::CUDA;
const Device DEVICE(CUDA, 0);
const DispatchKeySet CUDA_KEYS(DispatchKey::CUDA);

std::atomic<int64_t> waits{0}, copies{0}, bytes{0}, peak{0};
std::atomic<bool> has_float64{true};  // Apple's MPS has none

void check_type(at::ScalarType type, int64_t dimensions) {
  TORCH_CHECK_TYPE(has_float64 || type != at::kDouble || dimensions == 0,
                   "Cannot convert a MPS Tensor to float64 dtype as the MPS framework doesn't ",
                   "support float64. Please use float32 instead.");
}

struct Generator final : at::CPUGeneratorImpl {  // a CPU generator that says cuda:0
  explicit Generator(uint64_t seed) : at::CPUGeneratorImpl(seed) { device_ = DEVICE; }
};
at::Generator fresh_generator() { return at::make_generator<Generator>(0); }
at::Generator generator = fresh_generator();  // the device's own stream

// ---- memory: the host's, labelled as the device's ------------------------------------------

struct Held {
  c10::DataPtr data;
  int64_t size;
};

c10::DataPtr label(c10::DataPtr data, int64_t size) {
  int64_t now = (bytes += size), most = peak.load();
  while (now > most && !peak.compare_exchange_weak(most, now)) continue;
  auto release = [](void* context) {
    auto* held = static_cast<Held*>(context);
    bytes -= held->size;
    delete held;
  };
  void* address = data.get();
  return c10::DataPtr(address, new Held{std::move(data), size}, release, DEVICE);
}

struct Allocator final : c10::Allocator {
  c10::DataPtr allocate(size_t size) override {
    return label(c10::GetCPUAllocator()->allocate(size), size);
  }
  void copy_data(void* to, const void* from, size_t n) const override {
    default_copy_data(to, from, n);
  }
} allocator;

struct Guard final : c10::impl::DeviceGuardImplInterface {
  Stream only() const { return Stream(Stream::DEFAULT, DEVICE); }
  c10::DeviceType type() const override { return CUDA; }
  Device exchangeDevice(Device) const override { return DEVICE; }
  Device getDevice() const override { return DEVICE; }
  void setDevice(Device) const override {}
  void uncheckedSetDevice(Device) const noexcept override {}
  Stream getStream(Device) const noexcept override { return only(); }
  Stream getDefaultStream(Device) const override { return only(); }
  Stream exchangeStream(Stream) const noexcept override { return only(); }
  DeviceIndex deviceCount() const noexcept override { return 1; }
  void synchronizeDevice(const DeviceIndex) const override { waits++; }
};
C10_REGISTER_GUARD_IMPL(CUDA, Guard)

struct Hooks final : at::CUDAHooksInterface {
  explicit Hooks(at::CUDAHooksArgs) {}
  void init() const override {}
  bool hasCUDA() const override { return true; }
  bool isBuilt() const override { return true; }
  bool isAvailable() const override { return true; }
  bool hasPrimaryContext(DeviceIndex) const override { return true; }
  DeviceIndex getCurrentDevice() const override { return 0; }
  DeviceIndex deviceCount() const override { return 1; }
  c10::Allocator* getPinnedMemoryAllocator() const override { return c10::GetCPUAllocator(); }
  const at::Generator& getDefaultGenerator(DeviceIndex) const override { return generator; }
  at::Generator getNewGenerator(DeviceIndex) const override { return fresh_generator(); }
};
using at::CUDAHooksArgs, at::CUDAHooksRegistry, at::RegistererCUDAHooksRegistry;
C10_REGISTER_CLASS(CUDAHooksRegistry, CUDAHooks, Hooks)

// ---- the same bytes, seen as a CPU tensor and as a device tensor -----------------------------

bool ours(const Tensor& tensor) { return tensor.defined() && tensor.device().type() == CUDA; }

Tensor view_as(const Tensor& tensor, c10::Storage storage, DispatchKey key) {
  auto view = at::detail::make_tensor<c10::TensorImpl>(std::move(storage), DispatchKeySet(key),
                                                       tensor.dtype());
  view.unsafeGetTensorImpl()->set_sizes_and_strides(tensor.sizes(), tensor.strides(),
                                                    tensor.storage_offset());
  return view;
}

Tensor as_cpu(const Tensor& tensor) {
  if (!ours(tensor)) return tensor;
  auto& storage = tensor.storage();
  c10::DataPtr data(const_cast<void*>(storage.data()), Device(c10::kCPU));
  c10::Storage same(c10::Storage::use_byte_size_t(), storage.nbytes(), std::move(data),
                    c10::GetCPUAllocator(), true);
  auto view = view_as(tensor, std::move(same), DispatchKey::CPU);
  if (tensor.dim() == 0)
    view.unsafeGetTensorImpl()->set_wrapped_number(
        tensor.unsafeGetTensorImpl()->is_wrapped_number());
  return view;
}

// A sparse tensor like another one, of other indices and values, on their device.
Tensor sparse(const Tensor& like, const Tensor& indices, const Tensor& values) {
  const DispatchKeySet keys(ours(values) ? DispatchKey::SparseCUDA : DispatchKey::SparseCPU);
  auto made = at::detail::make_tensor<at::SparseTensorImpl>(keys, like.dtype());
  auto *impl = at::sparse::get_sparse_impl(made), *from = at::sparse::get_sparse_impl(like);
  impl->resize_(from->sparse_dim(), from->dense_dim(), like.sizes());
  impl->set_indices_and_values_unsafe(indices, values);
  impl->set_coalesced(from->coalesced());
  return made;
}

// A CPU result becomes a device tensor; its bytes are taken over, not copied.
Tensor adopt(const Tensor& result) {
  auto* kept = new c10::Storage(result.storage());
  int64_t size = kept->nbytes();
  c10::DataPtr data(const_cast<void*>(kept->data()), kept,
                    [](void* storage) { delete static_cast<c10::Storage*>(storage); },
                    Device(c10::kCPU));
  c10::Storage labelled(c10::Storage::use_byte_size_t(), size, label(std::move(data), size),
                        &allocator, true);
  return view_as(result, std::move(labelled), DispatchKey::CUDA);
}

// ---- CUDA's checks ----------------------------------------------------------------------------

const std::set<std::string> TAKE_CPU_INDICES = {
    "index.Tensor", "index.Tensor_out", "index_put_", "index_put", "_index_put_impl_"};
const std::set<std::string> WAIT = {
    "_local_scalar_dense", "equal", "nonzero", "is_nonzero", "masked_select", "_unique2",
    "unique_dim", "unique_consecutive", "repeat_interleave.Tensor"};
// besides those that PyTorch itself calls pointwise
const std::set<std::string> TAKE_CPU_SCALARS = {"where", "masked_fill", "masked_fill_", "isin",
                                                "index_fill", "index_fill_", "lerp", "lerp_"};

// All tensors are on the device. Scalar CPU tensors may go into pointwise operations, CPU indices
// into indexing, and so may the number in x[i] = 1, which index_put_ moves itself.
void check_place(const c10::OperatorHandle& op, const std::string& name,
                 const std::string& argument, const Tensor& tensor) {
  if (!tensor.defined() || ours(tensor)) return;
  bool cpu = tensor.device().is_cpu(), scalar = cpu && tensor.dim() == 0;
  std::string family = name.substr(0, name.find('.'));
  if (scalar && (op.hasTag(at::Tag::pointwise) || TAKE_CPU_SCALARS.count(family))) return;
  if (TAKE_CPU_INDICES.count(name) && (scalar || (cpu && argument == "indices"))) {
    if (name != "index.Tensor_out") waits++, copies++;  // there the meta step has copied it
    return;
  }
  TORCH_CHECK(false, "Expected all tensors to be on the same device, but got ", argument,
              " is on ", tensor.device(), ", different from other tensors on cuda:0 (when ",
              "checking argument in method wrapper_CUDA_", name, ")");
}

// ---- every operation: check, run the CPU's kernel on the same bytes, label the results ----------

struct Aliases {  // the device's tensors among the arguments, and the same bytes as CPU tensors
  std::vector<std::pair<Tensor, Tensor>> pairs;

  Tensor add(const Tensor& tensor) {
    if (!ours(tensor)) return tensor;
    if (tensor.is_sparse()) {
      auto* impl = at::sparse::get_sparse_impl(tensor);
      return sparse(tensor, add(impl->indices()), add(impl->values()));
    }
    pairs.emplace_back(tensor, as_cpu(tensor));
    return pairs.back().second;
  }
  // Arguments that the kernel has resized or given other memory are followed by the device's.
  void follow() const {
    for (auto& [tensor, alias] : pairs) {
      auto* impl = tensor.unsafeGetTensorImpl();
      bool moved = alias.storage().data() != tensor.storage().data();
      if (moved) impl->set_storage_keep_dtype(adopt(alias).storage());
      if (moved || alias.sizes() != tensor.sizes() || alias.strides() != tensor.strides())
        impl->set_sizes_and_strides(alias.sizes(), alias.strides(), alias.storage_offset());
    }
  }
  Tensor back(const Tensor& result) const {
    if (!result.defined() || ours(result)) return result;
    for (auto& [tensor, alias] : pairs)
      if (result.is_same(alias)) return tensor;
    if (result.is_sparse()) {
      auto* impl = at::sparse::get_sparse_impl(result);
      return sparse(result, back(impl->indices()), back(impl->values()));
    }
    auto* memory = result.storage().unsafeGetStorageImpl();
    for (auto& [tensor, alias] : pairs)
      if (memory->data() != nullptr && memory == alias.storage().unsafeGetStorageImpl())
        return view_as(result, tensor.storage(), DispatchKey::CUDA);
    return adopt(result);
  }
};

// Apply `change` to each tensor in a value of the stack.
template <typename Change>
void change_tensors(c10::IValue& value, Change change) {
  if (value.isTensor()) {
    value = change(value.toTensor());
  } else if (value.isTensorList()) {
    c10::List<Tensor> changed;
    for (const Tensor& tensor : value.toTensorList()) changed.push_back(change(tensor));
    value = changed;
  } else if (value.isOptionalTensorList()) {
    c10::List<std::optional<Tensor>> changed;
    for (std::optional<Tensor> tensor : value.toOptionalTensorList())
      changed.push_back(tensor ? std::optional<Tensor>(change(*tensor)) : tensor);
    value = changed;
  }
}

// Run the CPU's kernel. What draws random numbers is lent the device's stream.
void run_on_cpu(const c10::OperatorHandle& op, bool sparse, c10::Stack* stack, size_t begin) {
  const DispatchKeySet cpu(sparse ? DispatchKey::SparseCPU : DispatchKey::CPU);
  const auto& arguments = op.schema().arguments();
  std::vector<size_t> places;  // of generators among the arguments
  at::Generator stream = generator;
  for (size_t i = 0; i < arguments.size(); i++)
    if (arguments[i].type()->str().find("Generator") != std::string::npos) {
      places.push_back(begin + i);
      auto& given = (*stack)[begin + i];
      if (given.isGenerator()) stream = given.toGenerator();
    }
  if (places.empty() && !op.hasTag(at::Tag::nondeterministic_seeded))
    return op.redispatchBoxed(cpu, stack);
  static at::Generator scratch = at::detail::createCPUGenerator(0);
  at::Generator usual = at::detail::getDefaultCPUGenerator();
  at::Generator lent = places.empty() ? usual : scratch;
  Tensor before = usual.get_state();
  lent.set_state(stream.get_state());
  for (size_t place : places) (*stack)[place] = lent;
  op.redispatchBoxed(cpu, stack);
  stream.set_state(lent.get_state());
  usual.set_state(before);
}

void every_operation(const c10::OperatorHandle& op, DispatchKeySet keys, c10::Stack* stack) {
  const auto& schema = op.schema();
  std::string name = schema.name().substr(schema.name().find("::") + 2);
  if (!schema.overload_name().empty()) name += "." + schema.overload_name();
  if (WAIT.count(name)) waits++;
  const size_t begin = stack->size() - schema.arguments().size();
  Aliases aliases;
  for (size_t i = begin; i < stack->size(); i++) {
    auto& value = (*stack)[i];
    const auto& argument = schema.arguments()[i - begin].name();
    change_tensors(value, [&](const Tensor& tensor) {
      check_place(op, name, argument, tensor);
      if (tensor.defined()) check_type(tensor.scalar_type(), tensor.dim());
      return aliases.add(tensor);
    });
    if (value.isDevice() && value.toDevice().type() == CUDA) value = Device(c10::kCPU);
    if (value.isGenerator())
      TORCH_CHECK(value.toGenerator().device().type() == CUDA, "Expected a 'cuda' device type ",
                  "for generator but found '", value.toGenerator().device().type(), "'");
  }
  run_on_cpu(op, keys.has(DispatchKey::SparseCUDA), stack, begin);
  aliases.follow();
  for (size_t i = stack->size() - schema.returns().size(); i < stack->size(); i++)
    change_tensors((*stack)[i], [&](const Tensor& result) { return aliases.back(result); });
}

// ---- operations that make memory, or cross from one device to the other ------------------------

using Type = std::optional<at::ScalarType>;
using Layout = std::optional<at::Layout>;
using Place = std::optional<Device>;
using Pinned = std::optional<bool>;

Tensor empty(c10::IntArrayRef size, Type type, Layout, Place, Pinned,
             std::optional<at::MemoryFormat> format) {
  auto known = c10::dtype_or_default(type);
  check_type(known, size.size());
  return at::detail::empty_generic(size, &allocator, CUDA_KEYS, known, format);
}

Tensor empty_strided(c10::IntArrayRef size, c10::IntArrayRef stride, Type type, Layout, Place,
                     Pinned) {
  auto known = c10::dtype_or_default(type);
  check_type(known, size.size());
  return at::detail::empty_strided_generic(size, stride, &allocator, CUDA_KEYS, known);
}

Tensor& copy_(Tensor& self, const Tensor& source, bool) {
  if (self.is_same(source)) return self;
  if (!ours(self) || !ours(source)) copies++, waits++;
  at::AutoDispatchBelowADInplaceOrView guard;
  as_cpu(self).copy_(as_cpu(source));
  return self;
}

TORCH_LIBRARY_IMPL(_, CUDA, library) {
  library.fallback(torch::CppFunction::makeFromBoxedFunction<&every_operation>());
}

TORCH_LIBRARY_IMPL(_, SparseCUDA, library) {
  library.fallback(torch::CppFunction::makeFromBoxedFunction<&every_operation>());
}

TORCH_LIBRARY_IMPL(aten, SparseCUDA, library) {
  for (auto name : {"is_coalesced", "indices", "values"})  // those that have a kernel by default
    library.impl(name, torch::CppFunction::makeFromBoxedFunction<&every_operation>());
}

TORCH_LIBRARY_IMPL(aten, CUDA, library) {
  library.impl("empty.memory_format", &empty);
  library.impl("empty_strided", &empty_strided);
  library.impl("copy_", &copy_);
}

// ---- torch.ops.pretended, for pretended.py ----------------------------------------------------

TORCH_LIBRARY(pretended, library) {
  c10::SetAllocator(CUDA, &allocator, 127);
  library.def("counts() -> int[]", [] { return std::vector<int64_t>{waits, copies, peak}; });
  library.def("reset() -> ()", [] { waits = copies = 0, peak = bytes.load(); });
  library.def("seed(int seed) -> ()", [](int64_t seed) { generator.set_current_seed(seed); });
  library.def("state() -> Tensor", [] { return generator.get_state(); });
  library.def("set_state(Tensor one) -> ()", [](const Tensor& one) { generator.set_state(one); });
  library.def("float64(bool there) -> ()", [](bool there) { has_float64 = there; });
}

}  // namespace
