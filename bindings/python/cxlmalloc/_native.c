// SPDX-License-Identifier: BSD-2-Clause
/*
 * _native - what Python cannot say: an object that exports a block of memory,
 * and handlers of numpy's data (NEP 49)
 *
 * It links neither libcxlmem nor numpy: the functions of the one come as
 * addresses from _lib.py, which has found the library; those of the other from
 * numpy's own table, by slot numbers that are part of numpy's ABI since 1.22.
 * So one build serves every numpy, and with Python 3.11's stable ABI (setup.py)
 * every later Python.
 */
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* numpy's, as NEP 49 has it. */
struct data_allocator {
	void *ctx;
	void *(*malloc)(void *ctx, size_t size);
	void *(*calloc)(void *ctx, size_t nr, size_t size);
	void *(*realloc)(void *ctx, void *p, size_t size);
	void (*free)(void *ctx, void *p, size_t size);
};

struct data_handler {
	char name[127];
	uint8_t version;
	struct data_allocator allocator;
};

#ifdef CXLMALLOC_NUMPY_HEADERS
#define NPY_NO_DEPRECATED_API NPY_1_7_API_VERSION
#include <numpy/ndarraytypes.h>
_Static_assert(sizeof(struct data_handler) == sizeof(PyDataMem_Handler) &&
		       offsetof(struct data_handler, allocator.free) ==
			       offsetof(PyDataMem_Handler, allocator.free),
	       "numpy's struct is another one");
#endif

enum { SLOT_SET_HANDLER = 304 };

static struct {
	void *(*malloc)(int tier, size_t size, int flags);
	void *(*calloc)(int tier, size_t nr, size_t size, int flags);
	void *(*realloc)(void *p, size_t size);
	void *(*realloc_to)(void *p, int tier, size_t size, int flags);
	void (*free)(void *p);
	void *(*pool_malloc)(void *pool, size_t size);
	void *(*pool_calloc)(void *pool, size_t nr, size_t size);
} api;

static PyObject *(*set_data_handler)(PyObject *handler);

/*
 * A handler lives as long as its capsule, which every array of it refers to: so
 * does the pool, through its owner.
 */
struct handler {
	struct data_handler numpy;	/* first: it is what the capsule points to */
	int tier;
	int flags;
	void *pool;
	PyObject *owner;
};

static void *tier_malloc(void *ctx, size_t size)
{
	struct handler *h = ctx;

	return api.malloc(h->tier, size, h->flags);
}

static void *tier_calloc(void *ctx, size_t nr, size_t size)
{
	struct handler *h = ctx;

	return api.calloc(h->tier, nr, size, h->flags);
}

/* A size of 0 would free the block; numpy takes NULL for a failure. */
static void *tier_realloc(void *ctx, void *p, size_t size)
{
	struct handler *h = ctx;

	if (!p)
		return tier_malloc(ctx, size);
	if (h->flags)
		return api.realloc_to(p, h->tier, size ? size : 1, h->flags);
	return api.realloc(p, size ? size : 1);
}

static void *pool_malloc(void *ctx, size_t size)
{
	struct handler *h = ctx;

	return api.pool_malloc(h->pool, size);
}

static void *pool_calloc(void *ctx, size_t nr, size_t size)
{
	struct handler *h = ctx;

	return api.pool_calloc(h->pool, nr, size);
}

static void *pool_realloc(void *ctx, void *p, size_t size)
{
	return p ? api.realloc(p, size ? size : 1) : pool_malloc(ctx, size);
}

static void any_free(void *ctx, void *p, size_t size)
{
	(void)ctx;
	(void)size;
	api.free(p);
}

static void handler_end(PyObject *capsule)
{
	struct handler *h = PyCapsule_GetPointer(capsule, "mem_handler");

	if (!h) {
		PyErr_Clear();
		return;
	}
	Py_XDECREF(h->owner);
	free(h);
}

static PyObject *native_handler(PyObject *self, PyObject *args)
{
	int tier, flags;
	unsigned long long pool;
	PyObject *owner, *capsule;
	struct handler *h;
	const char *name;

	(void)self;
	if (!PyArg_ParseTuple(args, "siiKO", &name, &tier, &flags, &pool, &owner))
		return NULL;
	h = calloc(1, sizeof(*h));
	if (!h)
		return PyErr_NoMemory();
	strncpy(h->numpy.name, name, sizeof(h->numpy.name) - 1);
	h->numpy.version = 1;
	h->numpy.allocator.ctx = h;
	h->numpy.allocator.malloc = pool ? pool_malloc : tier_malloc;
	h->numpy.allocator.calloc = pool ? pool_calloc : tier_calloc;
	h->numpy.allocator.realloc = pool ? pool_realloc : tier_realloc;
	h->numpy.allocator.free = any_free;
	h->tier = tier;
	h->flags = flags;
	h->pool = (void *)(uintptr_t)pool;
	capsule = PyCapsule_New(h, "mem_handler", handler_end);
	if (!capsule) {
		free(h);
		return NULL;
	}
	Py_INCREF(owner);
	h->owner = owner;
	return capsule;
}

static PyObject *native_set_handler(PyObject *self, PyObject *capsule)
{
	(void)self;
	if (!set_data_handler) {
		PyErr_SetString(PyExc_RuntimeError, "numpy_api was not called");
		return NULL;
	}
	return set_data_handler(capsule == Py_None ? NULL : capsule);
}

static PyObject *native_numpy_api(PyObject *self, PyObject *capsule)
{
	void **table;

	(void)self;
	table = PyCapsule_GetPointer(capsule, NULL);
	if (!table)
		return NULL;
	set_data_handler = (PyObject * (*)(PyObject *)) table[SLOT_SET_HANDLER];
	Py_RETURN_NONE;
}

static PyObject *native_bind(PyObject *self, PyObject *args)
{
	unsigned long long f[7];

	(void)self;
	if (!PyArg_ParseTuple(args, "KKKKKKK", &f[0], &f[1], &f[2], &f[3], &f[4],
			      &f[5], &f[6]))
		return NULL;
	api.malloc = (void *(*)(int, size_t, int))(uintptr_t)f[0];
	api.calloc = (void *(*)(int, size_t, size_t, int))(uintptr_t)f[1];
	api.realloc = (void *(*)(void *, size_t))(uintptr_t)f[2];
	api.realloc_to = (void *(*)(void *, int, size_t, int))(uintptr_t)f[3];
	api.free = (void (*)(void *))(uintptr_t)f[4];
	api.pool_malloc = (void *(*)(void *, size_t))(uintptr_t)f[5];
	api.pool_calloc = (void *(*)(void *, size_t, size_t))(uintptr_t)f[6];
	Py_RETURN_NONE;
}

/*
 * Block: memory that is exported, and freed with the object; each export refers
 * to the object, so the object outlives them all.
 */
struct block {
	PyObject_HEAD
	char *p;
	Py_ssize_t size;
	Py_ssize_t exports;
	int held;		/* being resized or moved: no new exports */
	PyObject *owner;	/* of the memory: outlives it */
};

static void block_dealloc(PyObject *self)
{
	struct block *b = (struct block *)self;
	PyTypeObject *type = Py_TYPE(self);

	if (b->p)
		api.free(b->p);
	Py_XDECREF(b->owner);
	((freefunc)PyType_GetSlot(type, Py_tp_free))(self);
	Py_DECREF(type);
}

static int block_getbuffer(PyObject *self, Py_buffer *view, int flags)
{
	struct block *b = (struct block *)self;

	if (b->held || !b->p) {
		view->obj = NULL;
		PyErr_SetString(PyExc_BufferError,
				b->p ? "the buffer is being resized or moved"
				     : "the buffer was released");
		return -1;
	}
	if (PyBuffer_FillInfo(view, self, b->p, b->size, 0, flags))
		return -1;
	b->exports++;
	return 0;
}

static void block_releasebuffer(PyObject *self, Py_buffer *view)
{
	(void)view;
	((struct block *)self)->exports--;
}

/* _hold(): from here to _attach nobody else reads or changes what it is. */
static PyObject *block_hold(PyObject *self, PyObject *unused)
{
	struct block *b = (struct block *)self;

	(void)unused;
	if (b->exports || b->held) {
		PyErr_SetString(PyExc_BufferError,
				"existing exports: the buffer cannot be resized, "
				"moved or released");
		return NULL;
	}
	b->held = 1;
	Py_RETURN_NONE;
}

/* _attach(address, size, owner): the old block is the caller's business. */
static PyObject *block_attach(PyObject *self, PyObject *args)
{
	struct block *b = (struct block *)self;
	PyObject *owner, *old = b->owner;
	unsigned long long p;
	Py_ssize_t size;

	if (!PyArg_ParseTuple(args, "KnO", &p, &size, &owner))
		return NULL;
	b->p = (char *)(uintptr_t)p;
	b->size = size;
	b->held = 0;
	Py_INCREF(owner);
	b->owner = owner;
	Py_XDECREF(old);
	Py_RETURN_NONE;
}

static PyObject *block_get_address(PyObject *self, void *unused)
{
	(void)unused;
	return PyLong_FromVoidPtr(((struct block *)self)->p);
}

static PyObject *block_get_size(PyObject *self, void *unused)
{
	(void)unused;
	return PyLong_FromSsize_t(((struct block *)self)->size);
}

static PyObject *block_get_owner(PyObject *self, void *unused)
{
	PyObject *owner = ((struct block *)self)->owner;

	(void)unused;
	owner = owner ? owner : Py_None;
	Py_INCREF(owner);
	return owner;
}

static PyMethodDef block_methods[] = {
	{ "_hold", block_hold, METH_NOARGS, NULL },
	{ "_attach", block_attach, METH_VARARGS, NULL },
	{ NULL, NULL, 0, NULL }
};

static PyGetSetDef block_getset[] = {
	{ "address", block_get_address, NULL, "where the memory is", NULL },
	{ "size", block_get_size, NULL, "bytes", NULL },
	{ "_owner", block_get_owner, NULL, NULL, NULL },
	{ NULL, NULL, NULL, NULL, NULL }
};

static PyType_Slot block_slots[] = {
	{ Py_tp_dealloc, block_dealloc },
	{ Py_tp_new, PyType_GenericNew },
	{ Py_tp_methods, block_methods },
	{ Py_tp_getset, block_getset },
	{ Py_bf_getbuffer, block_getbuffer },
	{ Py_bf_releasebuffer, block_releasebuffer },
	{ 0, NULL }
};

static PyType_Spec block_spec = {
	.name = "cxlmalloc._native.Block",
	.basicsize = sizeof(struct block),
	.flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
	.slots = block_slots,
};

static PyMethodDef methods[] = {
	{ "bind", native_bind, METH_VARARGS, NULL },
	{ "numpy_api", native_numpy_api, METH_O, NULL },
	{ "handler", native_handler, METH_VARARGS, NULL },
	{ "set_handler", native_set_handler, METH_O, NULL },
	{ NULL, NULL, 0, NULL }
};

static struct PyModuleDef module = {
	PyModuleDef_HEAD_INIT,
	.m_name = "cxlmalloc._native",
	.m_size = -1,
	.m_methods = methods,
};

PyMODINIT_FUNC PyInit__native(void)
{
	PyObject *self = PyModule_Create(&module);
	PyObject *block = self ? PyType_FromSpec(&block_spec) : NULL;

	if (!block || PyModule_AddObject(self, "Block", block)) {
		Py_XDECREF(block);
		Py_XDECREF(self);
		return NULL;
	}
	return self;
}
