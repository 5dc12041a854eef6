"""Functions that cannot have an adjoint rule, with what to write instead. Unlisted functions are refused as well."""

import numpy as np

from autodiff.engine.table import refuse

refuse(
    "it writes into an array, and Tensors are immutable; t.at[index].set(v), np.where, np.broadcast_to give new ones",
    *(np.copyto, np.fill_diagonal, np.place, np.put, np.put_along_axis, np.putmask),
)
refuse(
    "a file holds numbers, not where they came from; save the plain array, tensor.value",
    *(np.save, np.savetxt, np.savez, np.savez_compressed),
)
refuse(
    "it is for integers, and a Tensor holds floating-point numbers; pass plain arrays",
    *(np.bitwise_and, np.bitwise_or, np.bitwise_xor, np.bitwise_count, np.invert, np.left_shift, np.right_shift),
    *(np.gcd, np.lcm, np.packbits, np.unpackbits, np.ravel_multi_index, np.unravel_index),
)
refuse(
    "it is for dates, and a Tensor holds floating-point numbers; pass plain arrays",
    *(np.isnat, np.datetime_as_string, np.busday_count, np.busday_offset, np.is_busday),
)
refuse(
    "it counts in several dimensions, which gives constants; pass plain arrays, tensor.value",
    *(np.histogram2d, np.histogramdd),
)
refuse("np.sort puts complex numbers in the same order", np.sort_complex)
refuse("the number of steps of long division depends on the values; np.convolve undoes it", np.polydiv)
refuse("it steps from one floating-point number to the next, below what a derivative sees", np.nextafter)
